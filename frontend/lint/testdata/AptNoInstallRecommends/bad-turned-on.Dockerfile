FROM ubuntu:24.04
RUN apt-get install -y -o APT::Install-Recommends=true python
# want: 2
