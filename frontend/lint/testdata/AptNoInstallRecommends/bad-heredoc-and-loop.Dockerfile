FROM ubuntu:24.04
RUN <<EOF
for p in a b; do
  apt-get install -y python
done
EOF
# want: 4
