# shellcheck shell=bash
serve 8443
is 'the server is not root' '^101$' uid
http 200 'text/html.*<h1>It works' --insecure https://localhost:8443/
http 200 'About' --insecure https://localhost:8443/about.html
http 200 'text/css.*sans-serif' --insecure https://localhost:8443/style.css
http 200 'HTTP/2 200' --insecure --http2 https://localhost:8443/
http 200 'It works' --insecure --tls-max 1.2 https://localhost:8443/
http 200 'It works' --cacert <(client cat /etc/nginx/tls/server.crt) https://localhost:8443/
http 206 'multipart/byteranges' --insecure -H 'Range: bytes=0-3,8-9' https://localhost:8443/about.html
http 304 'HTTP' --insecure -H "If-None-Match: $(curl -sk -o /dev/null -w '%header{etag}' https://localhost:8443/about.html)" https://localhost:8443/about.html
http 404 '404 Not Found' --insecure https://localhost:8443/nothing
http 405 'Not Allowed' --insecure -X POST https://localhost:8443/about.html
http 400 'plain HTTP request' http://localhost:8443/
stop QUIT
