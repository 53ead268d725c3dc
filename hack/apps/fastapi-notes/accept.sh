# shellcheck shell=bash
serve 8000
http 200 '\[\]' '/notes?kind=idea'
http 422 'value is not a valid enumeration member' '/notes?kind=nonsense'
http 422 'value is not a valid integer' /notes/x
http 404 'no such note' /notes/9
http 404 '"detail":"Not Found"' /nothing
http 405 'Method Not Allowed' -X DELETE /notes
http 201 '"due":"2024-02-29","cost":1.5,"id":"[0-9a-f-]{36}"' --json '{"text": "tea", "due": "2024-02-29", "cost": "1.50"}' /notes
http 422 'invalid date format' --json '{"text": "tea", "due": "2023-02-29x"}' /notes
http 200 'added tea' /log
http 200 '"name":"n","type":"text/x-shellscript","bytes":[0-9]+' -F name=n -F 'file=@accept.sh;type=text/x-shellscript' /upload
http 200 '"bytes":3' --form-string name=n -F 'file=@/dev/stdin;filename=x' /upload <<<hi
http 401 'Not authenticated' /me
http 200 '"ann"' -u ann:secret /me
http 200 'text/html.*<h1>Notes' /page
http 307 'location: /notes' /old
http 200 'part 0.part 1.part 2' /stream
http 200 '"openapi":"3' /openapi.json
http 200 'swagger-ui' /docs
http 200 'redoc' /redoc
socket() {
	client python3 -c '
import asyncio, websockets
async def main():
    async with websockets.connect("ws://localhost:8000/echo") as s:
        await s.send("hello")
        print(await s.recv())
asyncio.run(main())'
}
is 'a web socket' 'HELLO' socket
http 422 'Unterminated string' -H 'Content-Type: application/json' -d '{"text' /notes
http 422 'ensure this value has at least 1 characters' --json '{"text": ""}' /notes
http 422 'value is not a valid uuid.*value could not be parsed|value is not a valid' --json '{"text": "x", "id": "1", "cost": "y"}' /notes
http 422 'field required' -F name=n /upload
http 401 'Invalid authentication credentials' -H 'Authorization: Basic !' /me
http 400 'missing Sec-WebSocket-Key' -H 'Connection: Upgrade' -H 'Upgrade: websocket' /echo
stop
serve 8000 python3 -m uvicorn --host 0.0.0.0 --workers 2 --log-level debug --proxy-headers notes:app
http 200 'milk' /notes
stop INT
exits 'a module that is not there' 1 'Could not import module "nothing"' run python3 -m uvicorn nothing:app
is 'help' 'Usage: ' run python3 -m uvicorn --help
