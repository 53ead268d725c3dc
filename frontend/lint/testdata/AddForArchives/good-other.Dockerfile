FROM debian:12.9
COPY app.tar.gz /backup/
RUN tar -xzf /tmp/other.tar.gz
