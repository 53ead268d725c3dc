FROM debian:12
RUN <<EOF
set -e
/usr/bin/sudo make install
EOF
# want: 4
