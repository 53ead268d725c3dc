'use strict';
const { promisify } = require('util');
const execFile = promisify(require('child_process').execFile);

exports.run = async (program, ...args) => (await execFile(program, args)).stdout;
