# shellcheck shell=bash
serve 3000
is 'the server is not root' '^1000$' uid
http 200 'Hello from Express' /
http 200 'Content-Length: 19' --head /
http 304 'ETag' -H "If-None-Match: $(curl -s -o /dev/null -w '%header{etag}' http://localhost:3000/)" /
http 200 '\{"deep":\{"er":\[1,2\]\}\}' -H 'Content-Type: application/json' -d '{"deep": {"er": [1, 2]}}' /echo
http 200 'ü' -H 'Content-Type: application/json; charset=utf-16le' --data-binary @- /echo < <(printf '{\0"\0a\0"\0:\0"\0\374\0"\0}\0')
http 400 'Bad Request' -H 'Content-Type: application/json' -d '{"broken' /echo
http 413 'Payload Too Large' -H 'Content-Type: application/json' --data-binary @- /echo < <(head -c 200000 /dev/zero)
http 415 'Unsupported Media Type' -H 'Content-Type: application/json; charset=x-none' -d '{}' /echo
http 404 'Cannot GET /nothing' /nothing
stop
