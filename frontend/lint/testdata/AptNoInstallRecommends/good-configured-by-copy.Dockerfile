FROM ubuntu:24.04
COPY 99x /etc/apt/apt.conf.d/99x
RUN apt-get install -y python
