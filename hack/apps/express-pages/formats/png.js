'use strict';
module.exports = (res, data) => require('qrcode').toBuffer(data.name).then((png) => res.type('png').send(png));
