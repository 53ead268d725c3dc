FROM debian:12.9
WORKDIR app
# want: 2
