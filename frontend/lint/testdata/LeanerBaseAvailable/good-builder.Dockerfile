FROM golang:1.23 AS build
RUN go build
FROM gcr.io/distroless/static-debian12
COPY --from=build /a /a
