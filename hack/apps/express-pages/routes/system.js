'use strict';
const { Router } = require('express');
const { run } = require('./tools');

const system = Router();
system.get('/kernel', (req, res, next) => run('uname', '-s').then((name) => res.send(name), next));
module.exports = system;
