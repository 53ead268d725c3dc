# shellcheck shell=bash
serve 8000
http 200 '<h1>Zimmer' -H 'Accept-Language: de-DE' /
http 200 '<h1>Salon' -H 'Accept-Language: fr-FR' /
http 302 'Location: /' -d text='a <b>' /
http 200 '<p>a &lt;b&gt;</p>' /
http 200 '<h1>Rules.*<footer>.*February 29, 2024' /help/rules
http 200 '<h1>Regeln' -H 'Accept-Language: de-DE' /help/rules
http 500 '500: Internal Server Error' /help/nothing
http 404 '404: Not Found' /nothing
http 405 '405: Method Not Allowed' -X PUT /
http 400 '400: Bad Request' -d other=1 /
http 200 'javascript.*console' /static/chat.js
http 304 'Not Modified' -H 'If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT' /static/chat.js
http 403 '403: Forbidden' /static/../chat.py
http 200 'Content-Encoding: gzip' --compressed /static/chat.js
http 206 'Content-Range: bytes 0-3/' -r 0-3 /static/chat.js
http 200 'Etag' '/static/chat.js?v=1'
http 304 'Not Modified' -H 'If-None-Match: *' /static/chat.js
http 302 'Location: /' -F text='grün 😀' /
http 200 'grün 😀' /
http 403 '403: Forbidden' /static/
http 405 'Content-Type: text/html' -I /
http 400 '' -H 'Content-Length: x' -d 1 /
http 200 '1970-01-01' /date
http 200 'Room' --insecure https://localhost:8443/
socket() {
	client python3 -c '
import tornado.ioloop, tornado.websocket
async def main():
    s = await tornado.websocket.websocket_connect("ws://localhost:8000/socket")
    await s.write_message("hi")
    print(await s.read_message())
tornado.ioloop.IOLoop.current().run_sync(main)'
}
is 'a web socket' '[0-9]+: hi' socket
stop
