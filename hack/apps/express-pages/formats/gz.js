'use strict';
module.exports = (res, data) => res.type('application/gzip').send(require('zlib').gzipSync(JSON.stringify(data)));
