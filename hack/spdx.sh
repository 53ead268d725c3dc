#!/usr/bin/env bash
# usage: hack/spdx.sh
#
# Writes frontend/lint/spdx.txt: the identifiers of the SPDX licence list and of
# its exceptions, out of the npm packages that carry them (CC0).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

command -v npm >/dev/null || need_packages npm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# identifiers PACKAGE: what its lists name, one a line.
identifiers() {
	local tarball list
	tarball=$(cd "$work" && npm pack --silent "$1")
	echo "# $tarball"
	for list in index deprecated; do
		tar -xzOf "$work/$tarball" "package/$list.json" | grep -o '"[^"]*"' | tr -d '"'
	done | LC_ALL=C sort -u
}

{
	echo "# The SPDX licence list, written by hack/spdx.sh on $(date -u +%F)."
	identifiers spdx-license-ids
	identifiers spdx-exceptions
} >"$work/spdx.txt"
mv "$work/spdx.txt" "$repo/frontend/lint/spdx.txt"
