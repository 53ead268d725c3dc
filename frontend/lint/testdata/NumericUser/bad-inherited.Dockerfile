FROM debian:12.9-slim AS base
USER app
FROM base
CMD ["/app"]
# want: 2
