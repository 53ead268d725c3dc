# shellcheck shell=bash
serve 8080
http 200 '<h1>About' /page/about
http 404 'no such page' /page/nothing
http 404 '404 page not found' /nothing
http 405 'Method Not Allowed' -X POST /time
http 200 '09:00:00 .*JST in Asia/Tokyo' '/time?zone=Asia/Tokyo'
http 200 '19:00:00 .*EST' '/time?zone=America/New_York'
http 200 '05:30:00 .*\+0530 in Asia/Kathmandu' '/time?zone=Asia/Kathmandu'
http 400 'unknown time zone Moon/Base' '/time?zone=Moon/Base'
http 200 'Welcome, you!' '/mail/welcome?who=you'
http 200 'Goodbye, you.' '/mail/goodbye?who=you'
http 400 'no such file' /mail/nothing
http 200 'text/html' '/type?of=.html'
http 200 'application/vnd.oasis.opendocument.text' '/type?of=.odt'
http 200 '33 /var/www' '/user?name=www-data'
http 400 'unknown user nobody2' '/user?name=nobody2'
http 200 '127.0.0.1' '/address?host=localhost'
http 200 '443' '/port?service=https'
http 200 'true' /anchors
stop
