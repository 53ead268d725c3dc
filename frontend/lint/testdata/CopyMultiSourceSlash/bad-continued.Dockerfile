FROM debian:12.9
WORKDIR /srv
COPY --chown=1:1 \
  a \
  b \
  conf
# want: 6
