#!/usr/bin/env bash
# usage: hack/bench.sh
#
# Measures what slimfile costs and gains and prints ratios, both sides of each
# from the same run, beside the marks they have to reach. Takes a quarter of an
# hour on two idle cores; says nothing on busy ones. Needs root; sets up the rest.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

"$repo/hack/tools.sh" buildkitd buildctl runc >/dev/null
"$repo/hack/bases.sh"
work=$(mktemp -d)
# shellcheck disable=SC2016  # expanded at the exit
at_exit 'rm -rf "$work"'
arch=$(go env GOARCH)
# program FOLDER PACKAGE
program() { CGO_ENABLED=0 go build -C "$repo" -buildvcs=false -trimpath -ldflags '-s -w' -o "$work/$1/" "$2"; }
say "compiling"
program "libexec/linux-$arch" ./cmd/slimfile-sensor
program "libexec/linux-$arch" ./cmd/slimfile-pack
program timer ./hack/bench/timer
program bin ./hack/bench
use_daemon
BUILDKIT_HOST=$address "$work/bin/bench" -tools "$work/libexec" -timer "$work/timer" -examples "$repo/examples"
echo
"$repo/hack/bench/pack/run.sh"
echo
"$repo/hack/tools.sh" buildx >/dev/null # the end-to-end tests' environment has it
go test -C "$repo" -run '^$' -bench CachedRebuild -benchtime 1x ./frontend
echo
need_packages git php-cli perl strace
go test -C "$repo" -run '^$' -bench Traced -benchtime 7x ./sensor/record
