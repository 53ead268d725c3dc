FROM debian:12.9
ONBUILD WORKDIR /srv
COPY a b
ONBUILD COPY a b
# want: 3
