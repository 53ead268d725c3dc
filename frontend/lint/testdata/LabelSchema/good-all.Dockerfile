FROM debian:12.9
LABEL maintainer="a@example.com" team=web
LABEL org.opencontainers.image.created="2026-01-31T12:00:00Z" \
  org.opencontainers.image.licenses="Apache-2.0 OR (MIT AND LicenseRef-own) OR GPL-2.0-or-later WITH Classpath-exception-2.0" \
  org.opencontainers.image.revision=0123456789abcdef0123456789abcdef01234567
LABEL org.opencontainers.image.url=https://example.com/app org.opencontainers.image.version=1.2.3-rc.1+build.5
LABEL com.example.some-thing.x="y"
