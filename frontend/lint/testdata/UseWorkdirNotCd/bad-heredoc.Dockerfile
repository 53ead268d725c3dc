FROM debian:12
RUN <<EOF
cd /app
make
EOF
# want: 3
