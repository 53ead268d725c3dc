FROM debian:12.9
ENV \
  BIN=$BASE/bin:$OTHER \
  BASE=/opt
# want: 3
