FROM alpine:3.21
RUN apk add --virtual build python-dev=1.1.1 wget=1.1.2
RUN apk add -t build --repository https://x/y python-dev=1.1.1
