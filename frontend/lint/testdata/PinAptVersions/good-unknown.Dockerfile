FROM debian:12
ARG V
RUN apt-get install -y a=$V $PKGS && apt-get -y upgrade
