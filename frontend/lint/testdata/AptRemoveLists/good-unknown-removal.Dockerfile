FROM debian:12
RUN apt-get update && apt-get install -y python && rm -rf $TRASH && x
RUN apt-get update && apt-get install -y python && /usr/local/bin/apt-cleanup
