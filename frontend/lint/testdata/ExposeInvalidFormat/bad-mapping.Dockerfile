FROM debian:12.9
EXPOSE 80:8080
# want: 2
