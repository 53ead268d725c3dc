FROM debian:12.9
COPY . /srv
RUN chown 1:1 /srv
