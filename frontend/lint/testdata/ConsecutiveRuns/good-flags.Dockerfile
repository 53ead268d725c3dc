FROM debian:12
RUN /foo.sh
RUN --mount=type=cache,target=/x /bar.sh
