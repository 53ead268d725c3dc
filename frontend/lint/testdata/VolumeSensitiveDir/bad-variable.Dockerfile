FROM debian:12.9
ENV DIR=/usr
volume $DIR/bin/
ONBUILD VOLUME /dev/shm
# want: 3,4
