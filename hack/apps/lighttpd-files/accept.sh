# shellcheck shell=bash
serve 8080
http 200 'text/html.*About' /about.html
http 200 'one.txt.*two.epub' /list/
http 200 'application/epub\+zip' /list/two.epub
http 404 'Lost' /nothing
http 301 'Location: .*/about.html' /old
http 200 'Article' /article/7
http 200 'About' /page.shtml
http 200 'HELLO' '/cgi-bin/upper.sh?hello'
http 401 'Basic realm="members"' /members/
http 200 'Members' -u ann:secret /members/
http 403 '' '/index.html~'
http 200 'Content-Encoding: gzip' -H 'Accept-Encoding: gzip' /about.html
http 200 'Content-Encoding: br' -H 'Accept-Encoding: br' /about.html
http 200 'Server-Status|lighttpd' /status
http 501 'Not Implemented' -X DELETE /about.html
http 206 'Content-Range: bytes 0-3/' -r 0-3 /about.html
http 200 'HTTP/2 200.*About' --insecure https://localhost:8443/about.html
http 200 'Home' --insecure --http1.1 https://localhost:8443/
is 'the configuration' '' run lighttpd -tt -f /etc/lighttpd/lighttpd.conf
is 'the version' 'lighttpd/1' run lighttpd -v
stop INT
