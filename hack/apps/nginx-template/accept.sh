# shellcheck shell=bash
serve -e GREETING=salut 80
http 200 'salut' /greeting
http 502 '502 Bad Gateway' /
http 200 'Active connections' /status
is 'a reload' 'signal process started' inside nginx -s reload
http 200 'salut' /greeting
signal HUP
http 200 'salut' --retry 9 --retry-connrefused /greeting
is 'all of the configuration' 'server_tokens|stub_status' inside nginx -T
http 405 'Not Allowed' -X DELETE /status
http 400 'Bad Request' -H 'Host: a b' /greeting
http 414 'Too Large' "/$(printf 'x%.0s' {1..9000})"
is 'logs are opened again' '' signal USR1
stop QUIT
serve -e TZ=Asia/Tokyo 80
http 200 'hello' /greeting
stop QUIT
is 'the log in local time' '\+0900\].*/greeting' cat "$WORK/log"
serve -e TLS_NAME=localhost 80
http 200 'HTTP/2 200.*secret localhost' --insecure https://localhost/
stop QUIT
serve -e WORKERS=auto -e BACKEND=127.0.0.1:80 80
is 'the hook said so' 'workers: [0-9]' cat "$WORK/log"
http 200 'hello' /greeting
stop TERM
is 'the configuration' 'syntax is ok' run nginx -t
is 'the version' 'nginx/1.22' run nginx -v
