# shellcheck shell=bash
serve 3000
http 201 '"name":"desk"' --json '{"name": "desk", "due": "2024-03-01"}' /api/items
http 400 'must match format \\?"date' --json '{"name": "desk", "due": "soon"}' /api/items
http 400 'must match format \\?"email' --json '{"name": "desk", "mail": "x"}' /api/items
http 400 'must have required property' --json '{}' /api/items
http 400 'Bad Request' --json '{"broken' /api/items
http 415 'Unsupported Media Type' -H 'Content-Type: text/csv' -d x /api/items
http 404 '<html><body><p class="missing">/nothing' /nothing
http 404 'class="missing"' /page/nothing
http 200 '<main><p>Hello, you!</p></main>' '/page/hello?name=you'
http 200 '<p>Node.js v' /about
http 200 '"openapi"|"swagger"' /docs.json
http 200 'Donnerstag, 29. Februar 2024' /api/due/de
http 200 '2024年2月29日' /api/due/ja
http 200 'jeudi 29 février 2024' /api/due/fr
http 200 'node' /system/user
http 200 'fastify-api' /system/package
http 200 '127.0.0.1' /system/address
http 200 'set-cookie: a=b' /system/cookie
http 200 '42' /system/worker
http 200 '[0-9a-f]{16}' /system/hash
http 200 'HTTP/2 200.*lamp' --insecure https://localhost:3443/api/items
http 200 'lamp' --insecure --tlsv1.3 https://localhost:3443/api/items
http 200 'lamp' --insecure --tls-max 1.2 https://localhost:3443/api/items
http 200 'application/json' -I /api/items
http 404 'missing' -X DELETE /api/items/1
printf '{"name": "%s"}' "$(head -c 1100000 /dev/zero | tr '\0' x)" >"$WORK/large.json"
http 413 'Payload Too Large' -H 'Content-Type: application/json' -d "@$WORK/large.json" /api/items
http 404 'missing' --insecure --http1.1 https://localhost:3443/nothing
stop
