'use strict';
const { Router } = require('express');

const shop = Router();
const basket = [];
shop.get('/', (req, res) => res.render('shop', { basket }));
shop.post('/', (req, res) => {
  basket.push(req.body.what);
  res.status(201).json(basket);
});
module.exports = shop;
