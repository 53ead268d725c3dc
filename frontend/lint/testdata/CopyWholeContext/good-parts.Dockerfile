FROM debian:12.9
COPY src/ package.json ./*.go /srv/
COPY --exclude=.git . /srv
