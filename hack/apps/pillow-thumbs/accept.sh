# shellcheck shell=bash
serve 8000
for want in jpeg:JFIF gif:GIF8 bmp:BM webp:WEBP tiff:II ppm:P6 ico: pdf:%PDF-1 tga: jpeg2000:jP pcx: eps:PS-Adobe; do
	http 200 "${want#*:}" "/label?text=hello&format=${want%:*}"
done
for want in sgi: dds:DDS icns:icns im:Image dib: jpeg:JFIF; do
	http 200 "${want#*:}" "/label?text=hello&format=${want%:*}"
done
http 200 'PNG' '/label?text=serif&format=png&face=DejaVuSerif'
http 200 'PNG' '/label?text=%C3%9Cn%C3%AF&format=png&face=DejaVuSans-Bold'
http 200 'PNG' '/label?text=code&format=png&face=DejaVuSansMono'
# converted FROM TO: a label in one format goes back as a thumbnail in the other
converted() {
	curl -s -o "$WORK/label" "http://localhost:8000/label?text=x&format=$1" && curl -s --data-binary @"$WORK/label" "http://localhost:8000/?format=$2"
}
is 'JPEG to PNG' 'PNG' converted jpeg png
is 'WebP to GIF' 'GIF8' converted webp gif
is 'TIFF to WebP' 'WEBP' converted tiff webp
is 'JPEG 2000 to BMP' 'BM' converted jpeg2000 bmp
is 'PCX to PNG' 'PNG' converted pcx png
is 'TGA to PNG' 'PNG' converted tga png
is 'ICO to JPEG' 'JFIF' converted ico jpeg
is 'PPM to TIFF' 'II' converted ppm tiff
is 'ICNS to PNG' 'PNG' converted icns png
is 'SGI to GIF' 'GIF8' converted sgi gif
is 'PNG to PDF' '%PDF' converted png pdf
http 415 'cannot identify image' --data-binary nonsense '/?format=png'
http 400 'unknown format' '/label?text=x&format=xyz'
stop
