FROM debian:12
RUN cd /usr/src/app && npm ci
# want: 2
