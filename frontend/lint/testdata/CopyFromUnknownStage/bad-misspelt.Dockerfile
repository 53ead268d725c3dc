FROM golang:1.23 AS build
FROM scratch
COPY --from=biuld /app /app
# want: 3
