FROM debian:12
RUN set -eux; \
    sed -i s/x/y/ /etc/apt/sources.list && \
    apt-get -qq update
# want: 4
