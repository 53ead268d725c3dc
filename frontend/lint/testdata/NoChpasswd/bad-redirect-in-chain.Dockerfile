FROM debian:12
RUN useradd app && \
    chpasswd < /run/p && \
    rm /run/p
# want: 3
