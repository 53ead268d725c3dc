FROM debian:12.9
ARG SOCK=/var/run/docker.sock
ONBUILD VOLUME $SOCK
# want: 3
