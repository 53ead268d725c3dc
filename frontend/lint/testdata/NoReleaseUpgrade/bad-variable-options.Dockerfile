FROM ubuntu:24.04
RUN OPTS="-y -q" && \
    apt-get $OPTS full-upgrade && \
    do-release-upgrade
# want: 3,4
