FROM debian:12.9
COPY docker.sock /var/run/docker.sock
# want: 2
