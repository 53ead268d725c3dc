# shellcheck shell=bash
serve 8080
http 200 '<h1>second' /two
http 200 'Lua greets curl' /lua
http 200 'agent curl' /agent
http 200 'agent other' -A Mozilla /agent
http 200 'CA978112CA1BBDCAFAC231B39A23DC4D' /hash
http 503 '<h1>Back soon' /nothing
http 403 'Forbidden' /private
http 429 'Too Many Requests' /many
http 400 '400 Bad request' -H 'Content-Length: x' /one
http 200 'HTTP/2 200.*first' --insecure https://localhost:8443/one
http 200 'first' --insecure --http1.1 --tls-max 1.2 https://localhost:8443/one
http 200 'Statistics Report' http://localhost:9000/
http 200 'haproxy_process_' http://localhost:9000/metrics
http 200 'pxname,svname' 'http://localhost:9000/;csv'
is 'the configuration' 'valid|^$' run haproxy -c -f /etc/haproxy/haproxy.cfg
is 'the version' 'HAProxy version 2' run haproxy -vv
stop USR1
