FROM alpine:3.21 AS base
RUN apk -U upgrade --no-cache
FROM base
CMD ["x"]
