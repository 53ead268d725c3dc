FROM debian:12.9
ARG NPM_TOKEN
ARG a \
  secret=1
# want: 2,3
