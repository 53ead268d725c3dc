FROM alpine:3.21
RUN apk update
RUN apk add --no-cache curl
# want: 2
