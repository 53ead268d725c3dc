FROM debian:12.9 AS base
ENTRYPOINT ["/app"]
FROM base
USER 1
# want: 2
