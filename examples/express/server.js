'use strict';

const express = require('express');

const app = express();
app.use(express.json());
app.get('/', (req, res) => res.send('Hello from Express\n'));
app.post('/echo', (req, res) => res.json(req.body));

const server = app.listen(3000);
process.on('SIGTERM', () => server.close());
