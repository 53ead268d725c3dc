FROM debian:12
RUN --mount=type=cache,target=/x /foo.sh
RUN --mount=type=cache,target=/x /bar.sh
# want: 3
