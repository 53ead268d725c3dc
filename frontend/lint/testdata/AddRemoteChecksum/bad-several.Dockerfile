FROM debian:12.9
ADD a.tar.gz \
  https://example.com/b.tar.gz \
  /tmp/
# want: 3
