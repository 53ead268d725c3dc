FROM debian:12.9
VOLUME /var/run/app
