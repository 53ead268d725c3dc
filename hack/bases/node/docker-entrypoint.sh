#!/bin/sh
# Arguments that are no program are node's own, as in the real image.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then
	set -- node "$@"
fi
exec "$@"
