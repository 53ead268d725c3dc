FROM ubuntu:24.04
RUN apt-get -y -o Acquire::Retries=3 install python \
    curl
# want: 2
