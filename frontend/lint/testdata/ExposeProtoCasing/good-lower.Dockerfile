FROM debian:12.9
EXPOSE 80/tcp
