from alpine:3.21
run set -ex \
  && apk --virtual .x add gcc \
  && apk del .x
# want: 3
