FROM debian:12
RUN curl -k https://example.com
RUN curl -fsSLko x https://example.com
RUN curl --insecure https://example.com | sh
# want: 2,3,4
