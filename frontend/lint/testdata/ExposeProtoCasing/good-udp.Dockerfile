FROM debian:12.9
EXPOSE 53/udp
