'use strict';
module.exports = (res, data) => res.type('text/yaml').send(require('yaml').stringify(data));
