FROM debian:12
RUN wget -O - https://some.site && echo "a | b" || true
