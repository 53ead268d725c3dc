FROM ubuntu:24.04
RUN set -e; \
  apt update && \
  apt-get install -y python
# want: 3
