FROM debian:12
RUN apt-get update \
 && apt-get install -y python \
 && apt-get clean
# want: 2
