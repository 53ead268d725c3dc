FROM debian:12.9
ENV A=1
ENV B \
  2
# want: 3
