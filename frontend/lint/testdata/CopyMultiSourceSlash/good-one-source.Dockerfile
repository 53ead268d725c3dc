FROM debian:12.9
COPY package*.json /my_app
COPY a b
COPY <<EOF /etc/app
a b c
EOF
