FROM debian:12
RUN apt-get install -y mysql && \
  service mysql start
# want: 3
