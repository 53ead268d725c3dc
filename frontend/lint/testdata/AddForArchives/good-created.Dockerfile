FROM debian:12.9
COPY app.tar.gz /tmp/
RUN tar -czf /tmp/app.tar.gz /etc
