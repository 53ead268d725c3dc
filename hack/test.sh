#!/usr/bin/env bash
# usage: hack/test.sh [GO-TEST-ARGUMENT...]
#
# Runs all tests with the race detector, after setting up what they need, and
# some of the applications of hack/apps; with arguments, only `go test -race`
# with those. SLIMFILE_TEST_REQUIRE=1 makes a test that cannot run here fail.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

all=
[ $# -gt 0 ] || {
	set -- ./...
	all=1
}
"$repo/hack/tools.sh" buildkitd buildctl runc buildx >/dev/null
"$repo/hack/bases.sh"
"$repo/hack/servers.sh" >/dev/null
"$repo/hack/modules.sh" "$repo/examples/express" >/dev/null
if [ -n "$all" ]; then
	if [ "$(id -u)" = 0 ] || [ "${SLIMFILE_TEST_REQUIRE:-}" = 1 ]; then
		"$repo/hack/apps.sh" go-embed memcached nginx-static nginx-template # small ones: make apps runs all
	else
		say "applications are left out: they need root"
	fi
fi
say "go test -race $*"
cd "$repo"
CGO_ENABLED=1 go test -race -timeout 30m "$@"
