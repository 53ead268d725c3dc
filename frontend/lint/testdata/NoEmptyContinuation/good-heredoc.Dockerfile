FROM debian:12.9
RUN <<EOF
true

true
EOF
