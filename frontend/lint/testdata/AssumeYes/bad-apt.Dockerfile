FROM debian:12
RUN apt-get install python
# want: 2
