FROM debian:12.9
COPY --link \
  . \
  /srv
# want: 3
