FROM debian:12.9
EXPOSE 22/udp
# want: 2
