FROM alpine:3.21
RUN apk add --no-cache \
  curl \
  python3=3.12.8-r1
# want: 2
