#!/usr/bin/env bash
# usage: [GRANULARITY="file package app"] [PARALLEL=2] [JSON=FILE] [MARKDOWN=FILE] hack/apps.sh [APP...]
#
# Builds the applications of hack/apps and examples fat and slim, holds their
# acceptance tests against both, and prints a table: without APP all of them. APP
# is a folder of hack/apps, or examples/NAME. Exits with 1 if a build or a test
# fails. Needs root; sets up the rest.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

[ "$(id -u)" = 0 ] || die "the applications run as containers: run it as root"
need_packages curl iproute2 openssl util-linux
"$repo/hack/tools.sh" buildkitd buildctl runc >/dev/null
work=$(mktemp -d)
# shellcheck disable=SC2016  # expanded at the exit
at_exit 'rm -rf "$work"'
say "compiling slimfile"
CGO_ENABLED=0 go build -C "$repo" -buildvcs=false -trimpath -ldflags '-s -w' -o "$work/" \
	./cmd/slimfile ./cmd/slimfile-sensor ./cmd/slimfile-pack ./hack/apps/runner
images=$("$work/runner" bases -repo "$repo" "$@")
# shellcheck disable=SC2086  # a list of words
"$repo/hack/bases.sh" $images
use_daemon
BUILDKIT_HOST=$address "$work/runner" -repo "$repo" -slimfile "$work/slimfile" -runc "$tools/runc" \
	-modules "$repo/hack/modules.sh" -granularity "${GRANULARITY:-file}" -parallel "${PARALLEL:-2}" \
	-json "${JSON:-}" -markdown "${MARKDOWN:-}" "$@"
