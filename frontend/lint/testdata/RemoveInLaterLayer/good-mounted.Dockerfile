FROM debian:12
COPY x /tmp/x
RUN --mount=type=tmpfs,target=/tmp rm -rf /tmp/x
