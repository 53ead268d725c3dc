# shellcheck shell=bash
serve 8080
tool() { http 200 "$2" "/tools.php?do=$1"; }
http 201 '<li>Zoë' --data-urlencode 'name=Zoë' /
http 200 '<li>Zoë' /guests
http 200 'X-Site: guests.*text/css.*sans-serif|text/css.*X-Site|sans-serif' /style.css
http 200 'image/gif' /img/dot.gif
http 404 '<h1>Nobody here' /nothing
http 403 '403 Forbidden' /.htaccess
http 403 'Forbidden' /img/
http 200 'Index of /files.*/icons/text.gif.*one.txt' /files/
http 200 'image/gif' /icons/text.gif
http 301 'Moved Permanently' /files
http 405 'Method Not Allowed' -X TRACE /
http 206 'Content-Range' -r 0-1 /style.css
http 304 'Not Modified' -H 'If-None-Match: *' /style.css
http 200 'Content-Encoding: gzip' -H 'Accept-Encoding: gzip' /files/
http 400 'Bad Request' -H 'Host: a b' /
tool png 'image/png.*PNG'
tool jpeg 'image/jpeg.*JFIF'
tool webp 'image/webp.*WEBP'
tool currency '1.234,50'
tool sort 'Äpfel Birne Zebra'
tool date '1970年1月1日木曜日 9:00'
tool zone '1970-01-01T09:00:00\+09:00 JST'
tool zones '[45][0-9][0-9] .*Europe/Zurich'
tool transliterate 'Moskva'
tool mbstring '93fa967b'
tool iconv 'c6fccbdc'
tool latin '5a6feb20455552'
tool type 'image/gif'
tool xml '2 paragraphs'
tool xslt 'x'
tool session 'visit 1'
tool password 'verified'
tool random '16 bytes'
tool info 'GD Support'
tool lookup '127.0.0.1'
tool phar 'hello'
tool exec 'from a shell'
http 500 '' '/tools.php?do=throw'
http 404 'no such tool' '/tools.php?do=x'
stop WINCH
serve 8080
http 200 'Guests' / # the port listens before the signals are handled
stop
