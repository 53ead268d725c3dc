FROM alpine:3.21
RUN apk add -U curl && rm -rf /var/cache/apk/*
RUN apk update && apk add curl && rm -r /var/cache/apk
