FROM debian:12
RUN apt-get -o X=Y install -y a=1 \
    b \
    c
# want: 3
