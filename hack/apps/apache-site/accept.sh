# shellcheck shell=bash
serve 8080
http 200 'X-Served-By: apache.*Home' /index.html
http 200 'read.me.*all.zip|all.zip.*read.me' /files/
http 200 'image/gif.*GIF8' /icons/text.gif
http 200 'PNG' /icons/unknown.png
http 200 'application/zip' /files/all.zip
http 200 'Anleitung' -H 'Accept-Language: de' /docs/guide
http 200 'Guide' -H 'Accept-Language: en' /short
http 302 'Location: https://example.com/' /away
http 401 'WWW-Authenticate: Basic' /members/
http 200 'Members' -u ann:secret /members/
http 401 'Unauthorized' -u ann:wrong /members/
http 200 'Café' /caf%C3%A9/
http 200 'Home.*[0-9]{2}-[A-Z][a-z]{2}-20|Home.*GMT' /included.shtml
http 200 'GET a=b.1970-01-01' '/cgi-bin/env.cgi?a=b'
http 404 'Objekt nicht gefunden' -H 'Accept-Language: de' /nothing
http 404 'Object not found' /nothing
http 404 'Objet non trouvé' -H 'Accept-Language: fr' /nothing
http 403 'Forbidden|forbidden' /.htaccess
http 301 'Location: .*/index.html' /indx.html
http 206 'Content-Range: bytes 0-1/14' -r 0-1 /index.html
http 400 'Bad|bad' -H 'Host: a b' /
is 'the configuration' 'Syntax OK' run sh -c '. /etc/apache2/envvars && exec apache2 -t'
is 'the modules' 'rewrite_module' run sh -c '. /etc/apache2/envvars && exec apache2 -M'
stop WINCH
