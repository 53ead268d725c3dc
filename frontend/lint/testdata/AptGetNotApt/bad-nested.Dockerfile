FROM ubuntu:24.04
RUN su -c "apt -y upgrade"
# want: 2
