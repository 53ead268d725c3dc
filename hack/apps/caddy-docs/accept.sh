# shellcheck shell=bash
serve 8080
http 200 '<h1.*>Guide</h1>.*main' /guide/
http 200 'Hello, you!' /hello/you
http 404 'Lost' /nothing
http 502 'Down' /down/x
http 302 'Location: /guide/' /old
http 401 'Basic' /members/x
http 200 'table.csv.*numbers.txt|numbers.txt.*table.csv' -H 'Accept: text/html' /files/data/
http 200 'text/markdown.*# Guide' /files/part.md
http 200 'Content-Encoding: gzip' --compressed /files/data/numbers.txt
http 200 'HTTP/2 200.*Docs' --insecure https://localhost:8443/
is 'version' '2\.6' run version
is 'the configuration' 'Valid configuration' run validate --config /etc/caddy/Caddyfile
is 'formatted' 'file_server' run fmt /etc/caddy/snippets/site.caddy
is 'modules' 'http.handlers.reverse_proxy' run list-modules
is 'a password' '[$]2a[$]' run hash-password --plaintext secret
exits 'an unknown command' 1 'not a recognized|unknown' run nonsense
stop
