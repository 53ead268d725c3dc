FROM alpine:3.21
RUN apk add --no-cache flex=2.6.4-r1 \
 && apk add bison
# want: 3
