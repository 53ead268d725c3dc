FROM alpine:3.21
RUN apk add --update -t build bash
# want: 2
