FROM debian:12
RUN ps aux | grep x; kill -9 1; mount -a
# want: 2,2,2
