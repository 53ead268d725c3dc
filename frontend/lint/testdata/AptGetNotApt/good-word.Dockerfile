FROM ubuntu:24.04
RUN echo "apt install x" && command -v apt
