#!/bin/sh
# With TLS_NAME, serves TLS with a certificate made on the spot.
set -eu
[ -n "${TLS_NAME:-}" ] || exit 0
mkdir -p /etc/nginx/tls
openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj "/CN=$TLS_NAME" \
	-keyout /etc/nginx/tls/key.pem -out /etc/nginx/tls/cert.pem 2>/dev/null
cat >/etc/nginx/conf.d/tls.conf <<CONF
server {
	listen 443 ssl http2;
	ssl_certificate tls/cert.pem;
	ssl_certificate_key tls/key.pem;
	location / { return 200 "secret $TLS_NAME\n"; }
}
CONF
