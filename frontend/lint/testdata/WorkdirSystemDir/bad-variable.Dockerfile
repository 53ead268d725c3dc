FROM debian:12.9
ARG DIR=/proc
WORKDIR ${DIR}/1
# want: 3
