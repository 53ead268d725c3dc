FROM ubuntu:24.04
ARG OPTS="-y --no-install-recommends"
RUN apt-get install $OPTS python
RUN A="apt-get install --no-install-recommends"; $A python
