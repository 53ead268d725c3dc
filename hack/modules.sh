#!/usr/bin/env bash
# usage: hack/modules.sh APP
#
# Installs the npm modules of the folder APP outside of a build, once per lock
# file, and prints the folder that takes the place of its Dockerfile's stage
# "modules": docker buildx build --build-context modules=FOLDER. For machines
# whose builds reach no npm registry.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

[ $# = 1 ] || die "name one folder with a package-lock.json"
app=$(realpath "$1")
key=$(cat "$app/package.json" "$app/package-lock.json" | sha256sum)
folder=$cache/modules/${key:0:12}
if [ ! -d "$folder" ]; then
	command -v npm >/dev/null || need_packages npm
	lock modules
fi
if [ ! -d "$folder" ]; then
	say "installing the modules of ${app##*/}"
	part=$(mktemp -d "$cache/modules.XXXXXX")
	trap 'rm -rf "$part"' EXIT
	mkdir -p "$part/app" "$cache/modules"
	cp "$app/package.json" "$app/package-lock.json" "$part/app/"
	npm --prefix "$part/app" ci --omit=dev --no-audit --no-fund >"$part/log" 2>&1 || {
		tail -n 20 "$part/log" >&2
		die "npm could not install the modules"
	}
	rm "$part/log"
	chmod 755 "$part"
	mv "$part" "$folder"
fi
echo "$folder"
