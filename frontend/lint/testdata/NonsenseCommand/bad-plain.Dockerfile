FROM debian:12
RUN top
# want: 2
