# shellcheck shell=bash
serve -e TITLE='Other title' 8080
http 200 '<h1>Other title' /index.html
http 404 'Not Found' /nothing
is 'its user' 'app' inside gosu app id -un
stop TERM 143
is 'init' 'init at 1970-01-01 00:00:00' run init
is 'backup' '^1.1.1.1.[0-9a-f]{64}$' run backup
exits 'an option' 64 'usage: serve' run --help
is 'a command' 'app' run id -un
exits 'no such job' 127 'No such file' run job nothing
sorted() { printf 'z\nä\na\nB\n' | run -e "LC_ALL=$1" job sorted; }
is 'sorted in German' '^a ä B z' sorted de_DE.UTF-8
is 'sorted by bytes' '^B a z ä' sorted C
latin() { printf 'ä' | run job encoded UTF-8 "$1" | od -An -tx1; }
is 'ISO 8859-1' 'e4' latin ISO-8859-1
is 'UTF-16' '00 e4|e4 00' latin UTF-16
is 'EBCDIC' '7f' latin EBCDIC-AT-DE-A
is 'a Japanese character set' '82 a0' eval 'printf あ | run job encoded UTF-8 SHIFT_JIS | od -An -tx1'
is 'German' 'Donnerstag, 01. Januar 1970 01:00 CET' run -e LC_ALL=de_DE.UTF-8 -e TZ=Europe/Berlin job when 0
is 'Japanese' '木曜日.*09:00 JST' run -e LC_ALL=ja_JP.UTF-8 -e TZ=Asia/Tokyo job when 0
is 'a rule for summer time' 'EST' run -e TZ=America/New_York job when 1700000000
is 'the locale without a country' 'Thu' run -e LC_ALL=en_US.UTF-8 -e TZ=UTC job when 0
# shellcheck disable=SC2016  # the shell in the container expands it
is 'C.UTF-8' '^1$' run -e LC_ALL=C.UTF-8 bash -c 'x=ä; echo ${#x}'
is 'gzip by an option of tar' 'app/page.tmpl' run sh -c 'tar -cz -C /etc app | tar -tz'
is 'xz by the name of an archive' 'app/page.tmpl' run sh -c 'cd /tmp && tar -caf a.tar.xz -C /etc app && tar -tf a.tar.xz'
is 'zstd by an option of tar' 'app/page.tmpl' run sh -c 'cd /tmp && tar --zstd -cf a -C /etc app && tar -tf a'
is 'a pipe through a command' '^lamp$' eval "printf '{\"name\": \"lamp\"}' | run jq -r .name"
is 'a query' '^6.0$' run sqlite3 :memory: 'select sum(value) + 1e0 * 0 from json_each("[1, 2, 3]")'
is 'a terminal' 'bold' run -e TERM=xterm-256color job coloured
is 'another terminal' 'bold' run -e TERM=screen job coloured
