'use strict';
module.exports = (res, data) => res.send(require('marked').parse(`# ${data.name}\n\n*${data.price}*`));
