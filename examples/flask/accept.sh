# shellcheck shell=bash
serve 8008
is 'the server is not root' '^65534$' uid
http 200 'application/json.*"/hello"' /
http 200 'Hello, Ünï!' '/hello?name=%C3%9Cn%C3%AF'
http 404 'Not Found' /nothing
http 405 'Allow: .*Method Not Allowed' -X POST /hello
http 200 'Content-Length' --head /
http 200 'Allow: .*GET' -X OPTIONS /hello
http 400 'Bad Request' -H 'Content-Length: x' /hello
http 200 'Hello, a b!' --http1.0 '/hello?name=a+b'
stop
