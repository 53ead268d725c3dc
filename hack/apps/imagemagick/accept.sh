# shellcheck shell=bash
gradient() { run -size 64x64 gradient:red-blue "$@"; }
for format in jpg gif png webp bmp ppm tga ico pcx sgi xbm jp2 psd txt; do
	is "writes $format" ^ gradient "$format:/dev/null"
done
reread() { gradient "$1:-" | run "$1:-" -format '%m %wx%h' info:-; }
for format in jpeg gif webp bmp; do
	is "reads ${format^^}" "${format^^} 64x64" reread "$format"
done
tiff() { run -p convert -size 9x7 xc:red /tmp/red.tiff; }
is 'writes tiff' ^ tiff
is 'text in a font' '"?[0-9]+x[0-9]+' run -font DejaVu-Sans-Bold -pointsize 20 'label:Größe' -format '%wx%h' info:-
is 'a font by its name in PostScript' '"?[0-9]+x[0-9]+' run -font Helvetica-Bold 'label:Größe' -format '%wx%h' info:-
is 'lists fonts' 'DejaVu-Sans-Mono' run -list font
is 'lists formats' 'PDF' run -list format
is 'names of colours' '70,130,180|SteelBlue|steelblue' run xc:SteelBlue -format '%[pixel:p{0,0}]' info:-
is 'filters' '^' gradient -blur 0x2 -sharpen 0x1 -rotate 30 -quantize Lab -colors 8 png:/dev/null
is 'profiles' '^' gradient -colorspace CMYK jpg:/dev/null
is 'fx' '^' gradient -fx 'u*0.5' -distort Arc 60 png:/dev/null
exits 'PDF is against the policy' 1 'not allowed by the security policy .PDF' gradient pdf:/dev/null
exits 'so is PostScript' 1 'not allowed by the security policy .PS' run ps:- png:/dev/null <<<'%!PS'
heic() { run -p convert -size 64x64 xc:red heic:- | run heic:- -format '%m %wx%h' info:-; }
is 'HEIC' 'HEIC 64x64' heic
exits 'no such file' 1 'unable to open image' run /nothing.png png:/dev/null
exits 'no such format' 1 'no (encode|decode) delegate' run nosuch:x png:/dev/null
is 'version' 'ImageMagick 6' run
