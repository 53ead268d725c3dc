FROM debian:12
RUN echo "root:root" | chpasswd
# want: 2
