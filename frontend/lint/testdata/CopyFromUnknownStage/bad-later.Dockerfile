FROM scratch
COPY --from=build /app /app
FROM golang:1.23 AS build
# want: 2
