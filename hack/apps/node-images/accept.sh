# shellcheck shell=bash
serve 3000
http 200 $'\xff\xd8\xff' '/square.jpeg?size=32'
http 200 'WEBP' '/square.webp?color=teal'
http 200 'GIF8' '/square.gif'
http 200 'ftypavif' '/square.avif'
http 200 'X-Size: 8x8.*II' '/square.tiff'
http 200 'PNG' '/square.png?rotate=45&blur=2'
http 200 'PNG' '/square.png?size=2000'
http 200 $'\xff\xd8\xff' '/square.jpg?color=navy'
http 500 'error|Expected|Error' '/square.png?size=-1'
http 404 'no such picture' /nothing
http 500 'Expected one of' /square.xyz
http 200 '"vips":"8' /versions
http 200 '\[\{"name":"sunset"\}\]' '/remember?name=sunset'
stop
