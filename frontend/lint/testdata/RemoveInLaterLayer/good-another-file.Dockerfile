FROM debian:12
COPY x /tmp/x
RUN rm -rf /tmp/y "$Z" /etc/nginx/conf.d/default.conf tmp/x
