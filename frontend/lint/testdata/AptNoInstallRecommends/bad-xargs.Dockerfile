FROM ubuntu:24.04
RUN cat /pkgs | xargs apt-get install -y
# want: 2
