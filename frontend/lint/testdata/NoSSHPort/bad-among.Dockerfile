FROM debian:12.9
expose 80/tcp \
  22/TCP \
  443
# want: 3
