FROM debian:12.9
LABEL maintainer="Some Body" team=""
LABEL org.opencontainers.image.created="31.01.2026" \
  org.opencontainers.image.licenses="Apache2" \
  org.opencontainers.image.revision=v1.2
LABEL org.opencontainers.image.url=example.com
LABEL org.opencontainers.image.version=1.2
# want: 2,2,3,4,5,6,7
