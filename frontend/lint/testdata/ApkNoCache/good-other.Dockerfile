FROM alpine:3.21
RUN apk del x && apk info && echo apk add x
