#!/bin/bash
set -euo pipefail

# As root: give the volume to the app and go on as its user.
if [ "$(id -u)" = 0 ]; then
	chown -R app:app /data
	exec gosu app "$0" "$@"
fi

: "${TITLE:=Report}"
export TITLE

case ${1:-serve} in
serve)
	mkdir -p /data/www
	envsubst </etc/app/page.tmpl >/data/www/index.html
	exec busybox httpd -f -p 8080 -h /data/www
	;;
init)
	sqlite3 /data/app.db 'CREATE TABLE IF NOT EXISTS job (name TEXT, at TEXT)'
	sqlite3 /data/app.db "INSERT INTO job VALUES ('init', datetime(0, 'unixepoch'))"
	sqlite3 -json /data/app.db 'SELECT * FROM job' | jq -r '.[] | "\(.name) at \(.at)"'
	;;
backup)
	mkdir -p /data/www
	echo "$TITLE" >/data/www/title
	for by in gzip bzip2 xz zstd; do
		tar -c -C /data -f "/tmp/backup.$by" "--use-compress-program=$by" www
		tar -t -f "/tmp/backup.$by" "--use-compress-program=$by -d" | grep -c title
	done
	sha256sum /tmp/backup.gzip | cut -d ' ' -f 1
	;;
job)
	shift
	name=$1
	shift
	exec "/usr/local/lib/jobs/$name" "$@"
	;;
-*)
	echo "usage: serve, init, backup, job NAME, or a command" >&2
	exit 64
	;;
*)
	exec "$@"
	;;
esac
