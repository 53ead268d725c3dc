# shellcheck shell=bash
serve 9292
http 200 'text/css.*teal' /style.css
http 200 '<p class="note">Grüße' /notes/0
http 404 'no such note' /notes/7
http 404 'Not Found' /nothing
http 303 'ocation: ' -d 'text=<b>' /notes
http 200 '<li>&lt;b&gt;' /
http 302 'ocation: |303' -X POST -H 'Content-Type: application/json' --http1.0 -d '{"text": "json"}' /notes
printf 'x%.0s' {1..2000} >"$WORK/upload.txt"
http 200 '2000 bytes text/plain' -F "file=@$WORK/upload.txt" /upload
http 200 'text/csv.*0,Grüße' /export.csv
http 200 'application/json.*"Grüße"' /export.json
http 200 '- Grüße' /export.yaml
http 200 '<note>Grüße</note>' /export.xml
http 200 'Set-Cookie.*visit 1' /count
http 200 '93fa967b' /encode/Shift_JIS
http 200 'c6fccbdc' /encode/EUC-JP
http 200 '65e5672c' /encode/UTF-16BE
http 200 '1970-01-01 09:00:00 JST' '/time?zone=Asia/Tokyo'
http 200 '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' /digest
http 200 'true' /cert
http 200 '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' /fetch
http 200 '0.3333333333' /big
http 200 '[0-9a-f]{8}-' /random
http 200 '42' /template
http 200 'compressed' /gzip
http 200 'piped' /pipe
http 200 'teal' /sorted
http 206 'Content-Range|content-range' -r 0-3 /style.css
http 200 'text/css' -I /style.css
http 404 '' -X DELETE /notes/0
http 500 'sorry: ' -H 'Content-Type: application/json' -d '{"text' /notes
http 500 'sorry: ' /encode/nonsense
http 500 'sorry: broken on purpose' /boom
signal USR2
http 200 'Notes' --retry 20 --retry-connrefused --retry-delay 1 /
stop TERM 1
serve -e RACK_ENV=development 9292
http 500 'RuntimeError at /boom|broken on purpose' /boom
http 404 "know this ditty" /nothing
http 200 'image/png' /__sinatra__/404.png
stop TERM 1
is 'options' 'puma' run puma --help
serve -e TZ=Asia/Tokyo 9292 puma -w 2 -b tcp://0.0.0.0:9292 config.ru
http 200 '1970-01-01 00:00:00 UTC' '/time?zone=UTC'
stop TERM 1
is 'Ruby itself' '^42$' run -p ruby -- -e 'puts 6 * 7'
exits 'a syntax error' 1 'syntax error' run -p ruby -- -e 'puts ('
is 'a gem by its name' 'Sinatra|[0-9]' run -p ruby -- -e 'require "sinatra/base"; puts Sinatra::VERSION'
is 'version' 'puma version' run puma --version
