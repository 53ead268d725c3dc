FROM debian:12
RUN printf 'app:%s' "$HASH" | /usr/sbin/chpasswd -e
# want: 2
