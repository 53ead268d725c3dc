FROM debian:12
RUN cd /opt
# want: 2
