FROM ubuntu:24.04 AS base
RUN if true; then apt-get install -y python; fi
FROM base
# want: 2
