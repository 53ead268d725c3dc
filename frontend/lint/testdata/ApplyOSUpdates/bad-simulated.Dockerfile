FROM ubuntu:24.04
RUN apt-get update && apt-get -s upgrade
# want: 1
