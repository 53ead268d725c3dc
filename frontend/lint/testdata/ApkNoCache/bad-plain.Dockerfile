FROM alpine:3.21
RUN apk add flex=2.6.4-r1
# want: 2
