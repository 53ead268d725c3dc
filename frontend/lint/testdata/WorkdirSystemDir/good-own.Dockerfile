FROM debian:12.9
WORKDIR /srv
WORKDIR /usr/src/app
WORKDIR /etc/nginx
