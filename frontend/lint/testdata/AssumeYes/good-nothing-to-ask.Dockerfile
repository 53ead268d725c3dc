FROM debian:12
RUN apt-get update && apt-get clean && apt-cache search x && apt-get -s upgrade && apk add x
