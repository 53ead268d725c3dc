FROM debian:12.9
WORKDIR /srv
COPY a b .
COPY a b ./
COPY a b ..
COPY a b /srv/.
