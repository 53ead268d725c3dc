FROM php:8.3-fpm
COPY php.ini $PHP_INI_DIR/
