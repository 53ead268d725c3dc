FROM debian:12.9 AS a
ARG TAG=1
FROM debian:12${TAG}
# want: 3
