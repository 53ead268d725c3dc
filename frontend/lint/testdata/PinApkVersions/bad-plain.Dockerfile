FROM alpine:3.21
RUN apk add flex
# want: 2
