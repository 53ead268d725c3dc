FROM debian:12
RUN curl -H -k https://example.com && curl -o -k x && curl -u k:k x
RUN echo curl -k && grep -k x
