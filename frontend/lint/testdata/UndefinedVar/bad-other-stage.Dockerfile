FROM debian:12.9 AS a
ARG DIR=/x
FROM scratch AS b
FROM b
WORKDIR $DIR
# want: 5
