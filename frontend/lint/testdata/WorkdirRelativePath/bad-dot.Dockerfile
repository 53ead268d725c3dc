FROM debian:12.9
workdir \
  ./app
# want: 3
