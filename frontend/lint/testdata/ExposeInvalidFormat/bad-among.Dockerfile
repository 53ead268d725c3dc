FROM debian:12.9
EXPOSE 1 2:3
# want: 2
