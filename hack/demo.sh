#!/usr/bin/env bash
# usage: hack/demo.sh
#
# Builds examples/flask as it is and slimmed, runs the slim image as a container,
# calls it, and prints what the two differ in. Needs root; sets up the rest.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

[ "$(id -u)" = 0 ] || die "the demo runs a BuildKit daemon and a container: run it as root"
example=$repo/examples/flask
work=$(mktemp -d)
# shellcheck disable=SC2016  # expanded at the exit
at_exit 'rm -rf "$work"'

# timed NAME COMMAND...: its duration in seconds becomes NAME's.
declare -A took
timed() {
	local name=$1 from=$EPOCHREALTIME
	shift
	"$@"
	took[$name]=$(awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

compile() {
	local program
	say "compiling slimfile"
	for program in slimfile libexec/linux-"$(go env -C "$repo" GOARCH)"/slimfile-{sensor,pack}; do
		CGO_ENABLED=0 go build -C "$repo" -buildvcs=false -trimpath -ldflags '-s -w' -o "$work/bin/$program" "./cmd/${program##*/}"
	done
}

# build NAME [OPTION...]: the example's root file system, to $work/NAME/rootfs.
build() {
	local name=$1
	shift
	mkdir -p "$work/$name/rootfs" # the exporter would make it for root alone
	"$work/bin/slimfile" build --addr "$address" --progress plain --metadata-file "$work/$name.json" \
		--output "type=local,dest=$work/$name/rootfs" "$@" "$example" 2>"$work/$name.log" || {
		tail -n 40 "$work/$name.log" >&2
		die "the $name build failed"
	}
	chmod 755 "$work/$name/rootfs" # the exporter makes it its owner's alone
}

# bundle NAME: how to run the image, for runc: the Dockerfile's USER, WORKDIR and
# ENTRYPOINT, a network with loopback only, and a root that nobody writes to.
bundle() {
	"$tools/runc" spec --bundle "$work/$1"
	sed -i -z -e 's/"args": \[[^]]*\]/"args": ["python3", "app.py"]/' -e 's/"terminal": true/"terminal": false/' \
		-e 's/"uid": 0/"uid": 65534/' -e 's/"gid": 0/"gid": 65534/' -e 's/"cwd": "[^"]*"/"cwd": "\/app"/' "$work/$1/config.json"
}

answers() {
	nsenter --net --target "$(cat "$work/pid")" curl --silent --fail --max-time 5 http://127.0.0.1:8008/hello >"$work/answer"
}

# serve NAME: run it until it answered.
serve() {
	bundle "$1"
	"$tools/runc" --root "$work/runc" run --detach --bundle "$work/$1" --pid-file "$work/pid" demo >"$work/app.log" 2>&1 </dev/null || {
		cat "$work/app.log" >&2
		die "runc cannot run the slim image"
	}
	# shellcheck disable=SC2016  # expanded at the exit
	at_exit '"$tools/runc" --root "$work/runc" delete --force demo'
	local deadline=$((SECONDS + 60))
	until answers; do
		if [ "$SECONDS" -ge "$deadline" ] || [ ! -e "/proc/$(cat "$work/pid")" ]; then
			cat "$work/app.log" >&2
			die "the slim image does not answer"
		fi
		sleep 0.1
	done
}

# row NAME: megabytes of files, hard links once; files; Debian packages; seconds.
row() {
	local root=$work/$1/rootfs packages
	packages=$(cat "$root/var/lib/dpkg/status" "$root"/var/lib/dpkg/status.d/* 2>/dev/null | grep -c '^Package: ' || true)
	printf '%-6s %9.1f %8d %9d %8s\n' "$1" \
		"$(find "$root" -type f -printf '%i %s\n' | sort -u | awk '{ sum += $2 } END { print sum / 1e6 }')" \
		"$(find "$root" ! -type d | wc -l)" "$packages" "${took[$1]}"
}

need_packages curl util-linux
"$repo/hack/tools.sh" buildkitd buildctl runc >/dev/null
"$repo/hack/bases.sh"
compile
use_daemon

say "building the fat image (SLIM=off)"
timed fat build fat --build-arg SLIM=off
say "building the slim image"
timed slim build slim --no-cache-filter slim
say "running the slim image"
timed serve serve slim

echo
printf '%-6s %9s %8s %9s %8s\n' image MB files packages seconds
row fat
row slim
echo
echo "steps of the slim build:"
# A vertex's name comes on its first line, its duration on its last.
awk '$2 == "[slim" { id = $1; sub(/^#[0-9]+ /, ""); name[id] = $0 }
	$2 == "DONE" && $1 in name { printf "  %-60s %6s\n", substr(name[$1], 1, 60), $3; delete name[$1] }' "$work/slim.log"
printf '  %-60s %5ss\n' "slim container: start to first answer" "${took[serve]}"
echo
echo "GET /hello: $(cat "$work/answer")"
