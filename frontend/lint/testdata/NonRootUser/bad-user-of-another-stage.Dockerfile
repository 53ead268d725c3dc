FROM debian:12.9-slim AS build
USER app

FROM debian:12.9-slim
COPY --from=build /app /app
# want: 4
