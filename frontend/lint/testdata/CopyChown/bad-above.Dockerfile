FROM debian:12.9
ARG DIR=/var/www/html
ADD html $DIR/
RUN chmod -R g+w /var && chown -hR www-data:www-data /var/www /var/log
# want: 4
