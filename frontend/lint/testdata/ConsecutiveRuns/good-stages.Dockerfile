FROM debian:12 AS a
RUN /foo.sh
FROM debian:12
RUN /bar.sh
