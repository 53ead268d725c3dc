'use strict';
module.exports = (res, data) =>
  require('qrcode').toString(data.name, { type: 'svg' }).then((svg) => res.type('image/svg+xml').send(svg));
