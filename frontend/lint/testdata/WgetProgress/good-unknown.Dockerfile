FROM debian:12
RUN wget $OPTS x
