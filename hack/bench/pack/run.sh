#!/usr/bin/env bash
# usage: hack/bench/pack/run.sh
#
# Measures slimfile-pack at full size and fails when it misses its marks:
# throughput on 20,000 files / 1 GB of at least 0.9 of cp -a's in the same run,
# and at most 128 MB resident for the whole step at 1,000,000 paths. Needs root,
# and 6 GB and 2,100,000 inodes in TMPDIR; leaves nothing behind.
set -euo pipefail
. "$(dirname "$0")/../../lib.sh"
usage "$@"
cd "$repo"

# metric UNIT: the value before UNIT in the benchmark's line.
metric() {
	awk -v unit="$1" '/^Benchmark/ { for (i = 2; i <= NF; i++) if ($i == unit) print $(i - 1) }'
}

# check VALUE OPERATOR MARK WHAT
check() {
	printf '%s: %s (wanted %s %s)\n' "$4" "$1" "$2" "$3"
	awk "BEGIN { exit !($1 $2 $3) }"
}

ratio=$(SLIMFILE_BENCH_FILES=20000 SLIMFILE_BENCH_BYTES=1000000000 \
	go test -run '^$' -bench '^BenchmarkCopy$' -benchtime 2x ./sensor/pack | metric x-cp)
memory=$(SLIMFILE_BENCH_PATHS=1000000 \
	go test -run '^$' -bench '^BenchmarkStep$' -benchtime 1x -timeout 30m ./cmd/slimfile-pack | metric MB-hwm)
failed=0
check "$ratio" '>=' 0.9 'throughput, cp -a = 1' || failed=1
check "$memory" '<=' 128 'MB resident at 1,000,000 paths' || failed=1
exit $failed
