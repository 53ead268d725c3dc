FROM debian:12.9
COPY app.tar.gz /tmp/
RUN tar -xzf /tmp/app.tar.gz -C /opt
# want: 2
