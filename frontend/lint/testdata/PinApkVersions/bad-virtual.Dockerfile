FROM alpine:3.21
RUN apk add --virtual build-dependencies \
    python-dev=1.1.1 wget
# want: 3
