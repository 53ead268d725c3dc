FROM alpine:3.21
RUN apk del x && apk upgrade
