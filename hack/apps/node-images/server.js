'use strict';
const http = require('http');
const sharp = require('sharp');

const square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="COLOR"/></svg>';

// index is opened with the first picture that is remembered.
let index;
function remember(name) {
  const sqlite = require('sqlite3');
  index = index || new sqlite.Database('/tmp/index.db', () => {});
  return new Promise((resolve, reject) => index.serialize(() => {
    index.run('CREATE VIRTUAL TABLE IF NOT EXISTS picture USING fts5(name)');
    index.run('INSERT INTO picture VALUES (?)', name);
    index.all('SELECT name FROM picture WHERE picture MATCH ?', name, (error, rows) => (error ? reject(error) : resolve(rows)));
  }));
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const number = (name, or) => Number(url.searchParams.get(name) || or);
  if (url.pathname === '/versions') {
    return response.end(JSON.stringify({ vips: sharp.versions.vips, node: process.version }));
  }
  if (url.pathname === '/remember') {
    return response.end(JSON.stringify(await remember(url.searchParams.get('name'))));
  }
  const wanted = /^\/square\.(\w+)$/.exec(url.pathname);
  if (!wanted) {
    response.statusCode = 404;
    return response.end('no such picture\n');
  }
  let picture = sharp(Buffer.from(square.replace('COLOR', url.searchParams.get('color') || 'red'))).resize(number('size', 8));
  if (url.searchParams.has('rotate')) picture = picture.rotate(number('rotate'), { background: 'white' });
  if (url.searchParams.has('blur')) picture = picture.blur(number('blur'));
  if (url.searchParams.has('text')) {
    picture = picture.composite([{ input: { text: { text: url.searchParams.get('text'), dpi: 30 } } }]);
  }
  const { data, info } = await picture.toFormat(wanted[1]).toBuffer({ resolveWithObject: true });
  response.setHeader('X-Size', `${info.width}x${info.height}`);
  return response.end(data);
}

const server = http.createServer((request, response) =>
  answer(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(error.message);
  }));
server.listen(3000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
