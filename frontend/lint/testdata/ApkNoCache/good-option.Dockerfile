FROM alpine:3.21
RUN apk add --no-cache flex
RUN apk --no-cache add flex
RUN apk --update --no-cache add flex
