#!/usr/bin/env bash
# usage: hack/servers.sh
#
# Makes the Debian root filesystem whose servers, launchers and init programs
# the sensor's tests run, and whose runtimes the rules of the keep set are held
# against, once per list of packages and without installing any of them on this
# machine, and prints its folder. Tests find it under
# ~/.cache/slimfile/servers/current.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

suite=bookworm
packages=(
	nginx-light apache2 libapache2-mod-php php-fpm haproxy redis-server postgresql mariadb-server
	gosu tini dumb-init s6 supervisor
	php8.2-{cli,gd,intl,mbstring,sqlite3} openjdk-17-jre-headless ruby puma ruby-sinatra libmojolicious-perl erlang-base
	imagemagick ghostscript graphviz tesseract-ocr git
	curl
)
key=$(printf '%s\n' "$suite" "${packages[@]}" | sha256sum)
key=${key:0:12}
root=$cache/servers/$key

if [ ! -d "$root" ]; then
	[ "$(id -u)" = 0 ] || die "needs root"
	need_packages mmdebstrap debian-archive-keyring
	lock servers
fi
if [ ! -d "$root" ]; then
	say "bootstrapping Debian $suite with servers (minutes, once)"
	rm -rf "$cache/servers"
	mkdir -p "$cache/servers"
	if ! nice mmdebstrap --variant=apt --mode=root --format=directory --skip=output/dev \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
		--include="$(IFS=,; echo "${packages[*]}")" \
		"$suite" "$root.part" \
		"deb http://deb.debian.org/debian $suite main" \
		"deb http://deb.debian.org/debian $suite-updates main" \
		"deb http://deb.debian.org/debian-security $suite-security main" >"$root.log" 2>&1; then
		tail -n 30 "$root.log" >&2
		die "mmdebstrap failed; its log is $root.log"
	fi
	mv "$root.part" "$root"
fi
ln -sfn "$key" "$cache/servers/current"
echo "$root"
