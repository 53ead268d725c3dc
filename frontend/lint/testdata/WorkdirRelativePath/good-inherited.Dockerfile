FROM debian:12.9 AS base
WORKDIR /srv
FROM base
WORKDIR app
