# shellcheck shell=bash
serve -e GREETING=salut 80
http 200 'salut' /greeting
http 502 '502 Bad Gateway' /
http 200 'Active connections' /status
stop QUIT
serve -e TLS_NAME=localhost 80
http 200 'HTTP/2 200.*secret localhost' --insecure https://localhost/
stop QUIT
serve -e WORKERS=auto -e BACKEND=127.0.0.1:80 80
is 'the hook said so' 'workers: [0-9]' cat "$WORK/log"
http 200 'hello' /greeting
stop TERM
is 'the configuration' 'syntax is ok' run nginx -t
is 'the version' 'nginx/1.22' run nginx -v
