FROM debian:12.9 AS a
WORKDIR /srv
FROM debian:12.9
COPY run.sh start.sh
WORKDIR /late
# want: 4
