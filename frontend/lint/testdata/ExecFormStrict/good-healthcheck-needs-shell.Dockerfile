FROM debian:12.9
HEALTHCHECK CMD curl -f http://localhost:$PORT/ || exit 1
HEALTHCHECK CMD pg_isready | grep -q ok
