FROM debian:12
RUN ["apt-get", "update"]
# want: 2
