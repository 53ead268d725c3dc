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
http 500 'Invalid time zone' '/date?lang=en&zone=Mars/Base'
stop
