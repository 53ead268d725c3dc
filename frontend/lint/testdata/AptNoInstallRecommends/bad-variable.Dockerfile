FROM ubuntu:24.04
ENV PKGS="a b"
RUN apt-get update && apt-get install -y $PKGS
# want: 3
