#!/usr/bin/env bash
# usage: hack/eol.sh
#
# Makes frontend/lint/eol.csv, the table of when distributions stop getting free
# security updates, from Debian's package distro-info-data.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

work=$(mktemp -d)
# shellcheck disable=SC2016  # expanded at the exit
at_exit 'rm -rf "$work"'
chmod 755 "$work"
(cd "$work" && apt-get download distro-info-data >/dev/null && dpkg-deb -x distro-info-data_*.deb .)

# releases ID COLUMN [COLUMN]: version and the first of these days that is known.
releases() {
	awk -F, -v id="$1" -v a="$2" -v b="${3:-$2}" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		{ split($1, version, " "); day = $column[a] != "" ? $column[a] : $column[b] }
		version[1] != "" && day != "" { print id "," version[1] "," day }
	' "$work/usr/share/distro-info/$1.csv"
}

{
	echo "# $(basename "$work"/distro-info-data_*.deb .deb | cut -d_ -f1,2), made by hack/eol.sh"
	releases debian eol-lts eol
	releases ubuntu eol
} >"$repo/frontend/lint/eol.csv"
