FROM debian:12.9 AS a
WORKDIR /srv
FROM debian:12.9
WORKDIR app/src
# want: 4
