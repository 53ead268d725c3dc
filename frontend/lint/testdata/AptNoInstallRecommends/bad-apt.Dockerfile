FROM ubuntu:24.04
RUN DEBIAN_FRONTEND=noninteractive apt install -yq python
# want: 2
