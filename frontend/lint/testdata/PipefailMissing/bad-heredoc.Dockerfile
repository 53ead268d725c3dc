FROM debian:12
RUN <<EOF
curl x | sh
EOF
# want: 3
