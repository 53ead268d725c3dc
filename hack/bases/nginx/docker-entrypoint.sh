#!/bin/sh
# Runs the hooks of /docker-entrypoint.d, then the command, as the real image.
set -e
for hook in /docker-entrypoint.d/*.sh; do
	[ ! -x "$hook" ] || "$hook"
done
exec "$@"
