FROM debian:12.9
VOLUME /data /var/run/docker.sock
# want: 2
