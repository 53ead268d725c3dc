FROM alpine:3.21
RUN <<EOF
FLAGS="--no-cache --allow-untrusted"
apk add $FLAGS x
EOF
# want: 4
