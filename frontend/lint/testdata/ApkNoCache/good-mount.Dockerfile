FROM alpine:3.21
RUN --mount=type=cache,target=/var/cache/apk apk add -U curl=7.77.0
RUN --mount=type=tmpfs,target=/var/cache/apk apk add -U curl=7.77.0
RUN --mount=type=cache,target=/var/cache apk add -U curl=7.77.0
