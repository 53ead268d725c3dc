FROM debian:12.9
ADD https://example.com/tool /usr/local/bin/
# want: 2
