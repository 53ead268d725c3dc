FROM debian:12.9
ARG SOURCE
ADD ${SOURCE} /srv/
ADD $SOURCE/app /srv/
ADD dist/app-$VERSION /srv/
