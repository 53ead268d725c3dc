FROM debian:12.9
VOLUME /var/lib/postgresql/data
VOLUME ["/etc/nginx", "/usr/share/app"]
