FROM debian:12.9 AS a
COPY . /srv
FROM debian:12.9
RUN chown -R 1:1 /srv
COPY . /srv
