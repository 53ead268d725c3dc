# shellcheck shell=bash
for format in rst latex man asciidoc mediawiki org textile jira json native plain rtf docbook5 jats tei opml texinfo ms context beamer revealjs gfm ipynb; do
	is "writes $format" . run example.md -t "$format"
done
binary() { run -t "$1" -o - example.md | head -c 2; }
for format in docx odt epub epub2 pptx; do
	is "writes $format" '^PK' binary "$format"
done
reread() { run example.md -t "$1" -o - | run -f "$1" -t markdown; }
for format in docx odt epub; do
	is "reads $format" 'One.*print' reread "$format"
done
is 'a whole page' '<title>An example</title>.*<style' run -s --toc example.md
is 'highlighting' 'color: ' run -s --highlight-style=tango example.md
is 'highlighted languages' 'python' run --list-highlight-languages
is 'formulas' '<math' run --mathml example.md
is 'German' 'lang="de"' run -s -V lang=de example.md
is 'citations' 'Doe' run --citeproc --metadata 'references=[]' -t plain example.md -M 'title=Doe' -s
is 'its reference document' '^' run --print-default-data-file reference.docx -o /dev/null
is 'templates' 'documentclass' run -D latex
is 'slides' 'reveal' run -s -t revealjs example.md
is 'Lua filters' 'ONE' run --lua-filter /dev/stdin -t plain example.md <<<'function Str(e) e.text = e.text:upper() return e end'
exits 'no such format' 22 'Unknown output format' run -t nothing example.md
exits 'no such file' 1 'nothing.md' run nothing.md
