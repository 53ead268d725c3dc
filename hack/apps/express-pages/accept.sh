# shellcheck shell=bash
serve 3000
http 200 '<h1>Willkommen</h1>' '/?lang=de'
http 200 'lang="fr".*<h1>Bienvenue</h1>' '/?lang=fr'
http 200 'Welcome' '/?lang=xx'
http 404 'class="missing">Hier ist nichts' '/nothing?lang=de'
http 500 'class="error">as asked' /crash
http 400 'class="error"' --json '{"broken' /shop
http 200 'visits":1.*' /count
http 200 'Set-Cookie: connect.sid' /count
http 200 '<ul></ul>' /shop
http 201 '\["lamp"\]' --json '{"what": "lamp"}' /shop
http 201 '\["lamp","desk"\]' -d what=desk /shop
http 200 '<li>desk</li>' /shop
http 200 '<html><body><ul><li>a</li>' /old
http 200 'text/css.*teal' /public/site.css
http 200 'font/woff2' /public/font.woff2
http 200 'Content-Encoding: br' -H 'Accept-Encoding: br' /public/site.css
http 200 'Content-Encoding: (br|gzip).*Welcome' --compressed /
http 200 'name: lamp' /data.yaml
http 200 '<h1>lamp</h1>' /data.html
http 200 '<svg' /data.svg
http 200 'PNG' /data.png
http 200 'application/gzip' /data.gz
http 404 'missing' /data.xml
http 200 '1.234,50' '/money?lang=de'
http 200 '€1,234.50' '/money?lang=en'
http 200 '1.*234,50.*€' '/money?lang=fr'
http 200 'Donnerstag, 1. Januar 1970.*09:00:00' '/date?lang=de&zone=Asia/Tokyo'
http 200 '1970年1月1日' '/date?lang=ja&zone=UTC'
http 200 'Linux' /system/kernel
http 200 'text/css' -I /public/site.css
http 206 'Content-Range' -r 0-3 /public/site.css
http 304 '' -H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT' /public/site.css
http 404 'missing' /public/nothing
http 404 'missing' --path-as-is /public/../server.js
printf '{"what": "%s"}' "$(head -c 110000 /dev/zero | tr '\0' x)" >"$WORK/large.json"
http 413 'error' -H 'Content-Type: application/json' -d "@$WORK/large.json" /shop
http 500 'Invalid time zone' '/date?lang=en&zone=Mars/Base'
stop
serve -e TZ=Asia/Tokyo 3000
http 200 'Welcome' /
stop
is 'Node itself' '^42$' run -p node -- -p '6 * 7'
is 'the zone' 'GMT\+0900' run -e TZ=Asia/Tokyo -p node -- -p 'String(new Date(0))'
is 'modules' 'sha256' run -p node -- -p 'require("crypto").getHashes().join()'
is 'a request' '^[0-9]+$' run -p node -- -e 'const s = require("http").createServer((q, r) => r.end("x")).listen(0, async () => { console.log((await fetch("http://127.0.0.1:" + s.address().port)).status); s.close() })'
exits 'an error' 1 'ReferenceError' run -p node -- -e 'nonsense()'
