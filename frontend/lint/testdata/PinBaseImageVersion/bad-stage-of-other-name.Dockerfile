FROM golang:1.23.4 AS build
RUN go build
FROM builder
COPY --from=build /app /app
# want: 3
