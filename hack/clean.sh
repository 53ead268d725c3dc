#!/usr/bin/env bash
# usage: hack/clean.sh
#
# Ends the development daemon and removes what the scripts in hack/ made: its
# state, tools, base images and out/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

"$repo/hack/buildkitd.sh" stop
rm -rf "$cache" "$repo/out"
