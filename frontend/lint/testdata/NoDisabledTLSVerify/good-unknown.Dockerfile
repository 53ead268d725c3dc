FROM debian:12
ARG VERIFY
ENV NODE_TLS_REJECT_UNAUTHORIZED=$VERIFY
RUN curl $FLAGS https://example.com
HEALTHCHECK CMD curl -f http://localhost/
