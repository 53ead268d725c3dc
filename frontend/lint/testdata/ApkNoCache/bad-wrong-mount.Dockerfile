FROM alpine:3.21
RUN --mount=type=cache,target=/var/lib/apt/lists apk add -U curl=7.77.0
# want: 2
