FROM debian:12
RUN /foo.sh
RUN /bar.sh
# want: 3
