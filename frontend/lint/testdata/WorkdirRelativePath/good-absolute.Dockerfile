FROM debian:12.9
WORKDIR /srv
WORKDIR app
