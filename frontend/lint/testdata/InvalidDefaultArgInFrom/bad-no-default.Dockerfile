ARG TAG
FROM debian:$TAG
# want: 2
