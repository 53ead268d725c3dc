FROM debian:12.9 AS base
ENV A=1
FROM base
ARG V=1
ENV A=2 B=$A
ENV V=$V URL=https://example.com/$V
