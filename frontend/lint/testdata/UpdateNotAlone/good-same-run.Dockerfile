FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN apt-get update; apt-get upgrade -y
RUN apt-get update && apt-get build-dep -y curl
