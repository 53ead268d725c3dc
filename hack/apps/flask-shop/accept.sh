# shellcheck shell=bash
serve 8000
http 200 '<h1>Willkommen</h1>' '/?lang=de'
http 200 'ようこそ' -H 'Accept-Language: ja' /
http 200 'Desk 249,00' -H 'Accept-Language: de' /products
http 200 '<p class="price">¥249' /products/2
http 404 '<h1 class="error">Nothing here' /products/77
http 404 'Hier ist nichts' '/nowhere?lang=de'
http 200 'text/css.*font-weight' /static/shop.css
http 200 'image/svg\+xml.*<circle' /static/logo.svg
http 404 'error' /static/none.png
http 201 '"message":"Gespeichert"' --json '{"name": "Sofa", "price": 499}' '/products?lang=de'
http 400 'Bad Request' --json '{"broken' /products
http 400 'could not understand' --data x /products
http 405 'Method Not Allowed' -X DELETE /products
http 200 'text/csv.*3,Sofa,499' /export.csv
http 200 '"name":"Desk"' /export.json
http 200 '<product id="2" name="Desk"' /export.xml
http 200 'application/zip.*products.txt' /export.zip
http 200 'Thursday, January 1, 1970.*12:00:00.AM' /time
http 200 'Donnerstag, 1. Januar 1970.*09:00:00 Japanische Normalzeit' '/time?lang=de&zone=Asia/Tokyo'
http 200 '2009年2月14日' '/time?lang=ja&zone=Asia/Tokyo&at=1234567890'
http 200 'Content-Length' -I /
http 206 'Content-Range: bytes 0-3/' -r 0-3 /static/logo.svg
http 304 'NOT MODIFIED' -H 'If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT' /static/shop.css
http 404 'Nothing here' '/products/%FF'
http 500 'Internal Server Error' '/time?at=x'
stop
serve 8000 gunicorn --bind 0.0.0.0:8000 --worker-class gthread --threads 4 --worker-tmp-dir /dev/shm --access-logfile - --error-logfile - shop:app
http 200 'Willkommen' '/?lang=de'
stop INT
exits 'a module that is not there' 3 "No module named 'nothing'" run gunicorn nothing:app
