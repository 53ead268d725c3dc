FROM debian:12.9
RUN echo $UNKNOWN
