FROM debian:12
RUN apt-get -q install python
# want: 2
