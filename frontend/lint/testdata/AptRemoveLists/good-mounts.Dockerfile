FROM debian:12
RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y python
RUN --mount=type=cache,target=/var/lib/apt/lists --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y python
RUN --mount=type=tmpfs,target=/var/lib/apt/lists apt-get update && apt-get install -y python
