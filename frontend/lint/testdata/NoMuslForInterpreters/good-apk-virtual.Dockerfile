FROM alpine:3.21 AS build
RUN apk add --no-cache nodejs npm
FROM alpine:3.21
RUN apk add --no-cache --virtual .build python3 && make && apk del .build
