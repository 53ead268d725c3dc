FROM debian:12.9
WORKDIR /proc/self/fd/8
# want: 2
