FROM debian:12.9
ADD <<EOF /etc/app.conf
ADD me
EOF
