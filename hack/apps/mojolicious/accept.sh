# shellcheck shell=bash
serve 3000
http 200 'text/css.*navy' /site.css
http 200 '<title>Page.*<p>&lt;b&gt;</p>.*csrf_token' '/page/%3Cb%3E'
http 200 'application/json.*"Grüße",1.5,null' /json
http 201 '\["Grüße"\]' --data-urlencode title=Grüße /books
http 200 '<p>embedded' /embedded
http 404 '[Pp]age [Nn]ot [Ff]ound' /nothing
http 500 'Page not found|Internal Server Error|problem' /boom
http 200 'ł' '/decode/iso-8859-2?hex=b3'
http 200 'Ы' '/decode/koi8-r?hex=f9'
http 200 '日' '/decode/shift_jis?hex=93fa'
http 200 '日' '/decode/gb2312?hex=c8d5'
http 200 '日' '/decode/big5?hex=a4e9'
http 200 'Linux' /kernel
http 500 'problem|Internal' '/decode/nonsense?hex=00'
http 206 'Content-Range' -r 0-9 /site.css
http 304 '' -H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT' /site.css
http 200 '日本' '/decode/UTF-16BE?hex=65e5672c'
http 200 '1970-01-01 09:00:00 JST' '/time?zone=Asia/Tokyo'
http 200 'U\+00E9' '/char/LATIN%20SMALL%20LETTER%20E%20WITH%20ACUTE'
http 200 '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' /digest
http 200 '1267650600228229401496703205376' /math
http 200 '[0-9]' /gzip
http 200 '2' /normal
http 200 'Äpfel Birne Zebra' /collate
http 200 'VAR1' /dump
http 200 'from a shell' /shell
http 200 '2' /dom
http 200 '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' /agent
http 101 'Sec-WebSocket-Accept' --max-time 2 --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' /echo
http 200 'css' /mojo/mojo.css
stop QUIT
serve 3000 daemon -m development -l 'http://*:3000'
http 500 'broken on purpose' /boom
http 404 '[Nn]ot [Ff]ound' /nothing
http 200 'javascript|css' /mojo/jquery/jquery.js
stop
is 'versions' 'Perl.*Mojolicious' run version
is 'a page by its parts' '^Books' run get / h1 text
is 'another method' '\["lamp"\]' run get -M POST -f title=lamp /books
is 'Perl itself' '^42$' run -p perl -- -e 'print 6 * 7'
is 'a program of one line' '3' run -p perl -- -MList::Util=sum -E 'say sum 1, 2'
is 'a locale' '^fine$' run -e LC_ALL=C.UTF-8 -p perl -- -e 'print "fine"'
is 'a command' '"Grüße"' run get /json
is 'routes' '/decode/:charset' run routes
is 'commands' 'prefork' run help
is 'eval' 'production|development' run eval -v 'app->mode'
exits 'an unknown command' 2 'Unknown command' run nothing
