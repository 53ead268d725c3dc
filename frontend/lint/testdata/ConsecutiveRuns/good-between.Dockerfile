FROM debian:12
RUN /foo.sh
WORKDIR /x
RUN /bar.sh
