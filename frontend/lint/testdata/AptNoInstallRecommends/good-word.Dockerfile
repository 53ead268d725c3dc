FROM ubuntu:24.04
RUN echo apt-get install -y python && apt-get download python
