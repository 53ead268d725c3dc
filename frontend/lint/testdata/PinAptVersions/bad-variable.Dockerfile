FROM debian:12
ENV PKGS="a=1 b"
RUN apt-get install -y $PKGS
# want: 3
