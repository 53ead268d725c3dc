FROM debian:12.9
COPY . /srv
RUN chown -R 1:1 /data /srv-data /srv/cache
