FROM alpine:3.21
RUN apk --no-cache add flex=2.6.4-r1
RUN apk add --no-cache flex~=2.6 "bison~3"
