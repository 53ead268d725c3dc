FROM debian:12.9 AS base
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/
RUN --mount=type=bind,from=quay.io/tools:1.0,target=/t true
# want: 2,3
