FROM ubuntu:24.04
RUN apt-get install -y python && apt-cache search x && apt-mark hold python
