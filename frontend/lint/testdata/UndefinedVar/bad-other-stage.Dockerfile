FROM debian:12.9 AS a
ARG DIR=/x
FROM debian:12.9
WORKDIR $DIR
# want: 4
