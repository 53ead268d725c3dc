FROM debian:12.9
EXPOSE 80/TCP
# want: 2
