FROM golang:1.23-alpine AS builder
RUN apk --no-cache add ca-certificates git tzdata && update-ca-certificates
WORKDIR /build
COPY . .
RUN go mod download && go build -o app .

FROM scratch
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=builder /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=builder /build/app /app
USER 65534:65534
ENTRYPOINT ["/app"]
