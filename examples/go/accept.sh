# shellcheck shell=bash
serve 8080
is 'the server is not root' '^65534$' uid
http 200 'in Asia/Kathmandu' '/time?zone=Asia/Kathmandu'
http 200 'in America/Argentina/Ushuaia' '/time?zone=America/Argentina/Ushuaia'
http 200 'in UTC' '/time?zone=UTC'
http 404 'unknown time zone' '/time?zone=Moon/Base'
http 200 'Hello, you!' /hello/you
http 404 'page not found' /nothing
http 405 'Method Not Allowed' -X POST /time
stop
