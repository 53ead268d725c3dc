FROM debian:12.9
ARG BASE=http://example.com
ARG V
ADD ${BASE}/tool-$V.tar.gz /tmp/
ADD --chmod=755 https://example.com/$V /x
# want: 4,5
