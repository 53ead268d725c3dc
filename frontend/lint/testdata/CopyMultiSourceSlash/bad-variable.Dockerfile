FROM debian:12.9
ENV DIR=/srv/app
COPY a b ${DIR}
COPY a b $UNKNOWN/app
# want: 3,4
