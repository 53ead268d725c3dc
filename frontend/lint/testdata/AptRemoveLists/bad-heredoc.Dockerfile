FROM debian:12
RUN <<EOF
apt-get update
apt-get install -y python
rm -rf /var/cache/apt/archives
EOF
# want: 3
