FROM debian:12
ARG YES=-y
RUN apt-get install $YES python && apt-get install $UNKNOWN python
