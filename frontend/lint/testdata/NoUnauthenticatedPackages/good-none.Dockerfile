FROM alpine:3.21
RUN apk add --no-cache x && rpm -i x.rpm
