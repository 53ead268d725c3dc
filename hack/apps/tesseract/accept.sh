# shellcheck shell=bash
is 'text' 'lazy dog' run
is 'hOCR' "class='ocr_page'" run page.png - hocr
is 'ALTO' '<alto' run page.png - alto
is 'table' 'level.*conf.*fox' run page.png - tsv
is 'boxes' '[A-Za-z] [0-9]+ [0-9]+' run page.png - makebox
pdf() { run page.png - pdf | tr -dc '[:print:]'; }
is 'searchable PDF' 'PDF-1.*GlyphLessFont' pdf
is 'orientation' 'Orientation in degrees: 0' run page.png - --psm 0
is 'one line' . run page.png - --psm 7
is 'digits alone' ^ run page.png - digits
is 'languages' 'eng.*osd' run --list-langs
is 'parameters' 'tessedit_char_whitelist' run --print-parameters
exits 'no such language' 1 'Error opening data file.*xyz' run page.png - -l xyz
exits 'no such file' 1 'cannot read input file|Error' run nothing.png -
is 'version' 'tesseract 5' run --version
