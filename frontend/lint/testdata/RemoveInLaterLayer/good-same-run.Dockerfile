FROM debian:12
RUN curl -o /tmp/x https://example.com/x && install /tmp/x /usr/bin && rm /tmp/x
