FROM debian:12.9
ADD app.tar.gz /opt/
RUN tar -xzf app.tar.gz
