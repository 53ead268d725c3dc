'use strict';
const fs = require('fs');
const path = require('path');
const express = require('express');

const app = express();
app.set('views', path.join(__dirname, 'views'));
app.set('view engine', 'ejs');
app.use(require('compression')({ threshold: 0 }));
app.use(require('morgan')('tiny'));
app.use(require('express-session')({ secret: 'for the test alone', resave: false, saveUninitialized: false }));
app.use(express.json(), express.urlencoded({ extended: true }));
app.use('/public', express.static(path.join(__dirname, 'public')));
app.use((req, res, next) => {
  const language = req.query.lang || 'en';
  const file = path.join(__dirname, 'locales', language.replace(/[^a-z]/g, '') + '.json');
  const texts = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
  res.locals.t = (text) => texts[text] || text;
  res.locals.language = language;
  next();
});

app.get('/', (req, res) => res.render('index'));
app.get('/count', (req, res) => res.json({ visits: (req.session.visits = (req.session.visits || 0) + 1) }));
app.get('/old', (req, res) => res.render('old.pug', { items: ['a', 'b'] }));
app.get('/money', (req, res) =>
  res.send(new Intl.NumberFormat(req.query.lang, { style: 'currency', currency: 'EUR' }).format(1234.5)));
app.get('/date', (req, res) =>
  res.send(new Date(0).toLocaleString(req.query.lang, { timeZone: req.query.zone, dateStyle: 'full', timeStyle: 'long' })));
app.use('/shop', (req, res, next) => require('./routes/shop')(req, res, next));
app.use('/system', (req, res, next) => require('./routes/system')(req, res, next));
app.get('/data.:kind', (req, res, next) => {
  let format;
  try {
    format = require('./formats/' + req.params.kind);
  } catch (error) {
    return next(error.code === 'MODULE_NOT_FOUND' ? undefined : error);
  }
  return format(res, { name: 'lamp', price: 19.9 });
});
app.get('/crash', () => {
  throw new Error('as asked');
});
app.use((req, res) => res.status(404).render('missing'));
// eslint-disable-next-line no-unused-vars
app.use((error, req, res, next) => res.status(error.status || 500).render('error', { error }));

const server = app.listen(3000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
