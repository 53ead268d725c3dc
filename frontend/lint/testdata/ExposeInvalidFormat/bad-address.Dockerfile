FROM debian:12.9
EXPOSE 127.0.0.1:80:80
# want: 2
