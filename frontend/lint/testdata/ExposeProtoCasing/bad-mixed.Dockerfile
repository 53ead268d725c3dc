FROM debian:12.9
EXPOSE 80/tcp 53/Udp
# want: 2
