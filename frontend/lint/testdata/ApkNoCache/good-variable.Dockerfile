FROM alpine:3.21
ARG APK="apk add --no-cache"
RUN $APK curl && apk add $OPTS curl
