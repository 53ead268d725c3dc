FROM debian:12.9
VOLUME /data /etc
# want: 2
