FROM ubuntu:24.04
ARG OPTS
RUN apt-get install -y $OPTS python
RUN apt-get install -y $(cat pkgs)
