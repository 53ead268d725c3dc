FROM debian:12.9
EXPOSE 22
# want: 2
