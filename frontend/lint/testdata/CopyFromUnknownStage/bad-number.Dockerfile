FROM golang:1.23
COPY --from=1 /a /a
FROM scratch
COPY --from=1 /app /app
# want: 2,4
