FROM debian:12.9 AS a
WORKDIR /srv
FROM debian:12.9
COPY bla.sh blubb.sh
WORKDIR /late
# want: 4
