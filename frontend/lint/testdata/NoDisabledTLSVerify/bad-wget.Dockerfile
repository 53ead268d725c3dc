FROM debian:12
RUN set -e; \
 wget -q --no-check-certificate \
   https://example.com
# want: 3
