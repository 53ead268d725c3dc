FROM debian:12
RUN set -eux; \
  apt-get update; \
  curl x \
    | tar -xz; \
  a | b
# want: 4
