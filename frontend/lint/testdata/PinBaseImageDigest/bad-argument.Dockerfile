ARG TAG=12.9
FROM debian:$TAG
# want: 2
