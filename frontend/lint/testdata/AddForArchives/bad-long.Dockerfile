FROM debian:12.9
COPY a.tar b.tar /tmp/
RUN tar --extract --file=/tmp/b.tar
RUN gunzip a.tar
# want: 2,2
