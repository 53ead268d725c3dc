# shellcheck shell=bash
serve 8080
http 200 'Content-Type: text/html.*Home' /index.html
http 200 'About us' /about.html
http 200 'Content-Type: text/css.*sans-serif' /style.css
http 200 'Content-Encoding: gzip' --compressed /style.css
http 200 'application/javascript.*hello' /app.js
http 200 'octet-stream.*"site"' /site.webmanifest
http 200 'manual.txt' /docs/
http 200 'text/plain.*# Changes' /docs/changes.txt
http 404 '<h1>Lost\?</h1>' /nothing
http 403 '<h1>Keep out</h1>' /private/x
http 502 '502 Bad Gateway' /api/x
http 405 '405 Not Allowed' -X POST /about.html
http 206 'Content-Range: bytes 4-7/18' -r 4-7 /about.html
http 304 'Not Modified' -H 'If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT' /style.css
http 301 'Location: .*/docs/' /docs
http 200 'HTTP/2 200.*About us' --insecure https://localhost:8443/about.html
http 200 'Home' --insecure --tls-max 1.2 --http1.1 https://localhost:8443/
http 400 'plain HTTP request was sent to HTTPS port' http://localhost:8443/
stop QUIT
