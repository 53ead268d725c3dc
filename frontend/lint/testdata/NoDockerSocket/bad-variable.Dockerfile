FROM debian:12.9
ENV SOCK=/var/run/docker.sock
ONBUILD VOLUME $SOCK
# want: 3
