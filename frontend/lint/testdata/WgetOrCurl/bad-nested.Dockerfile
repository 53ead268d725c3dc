FROM debian:12
RUN set -e; \
  wget x; \
  (sh -c "curl y"); \
  curl z
# want: 4
