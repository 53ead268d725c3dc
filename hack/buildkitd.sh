#!/usr/bin/env bash
# usage: hack/buildkitd.sh start|stop|address [FOLDER]
#
# Development BuildKit daemon with its state in FOLDER (default:
# ~/.cache/slimfile/buildkitd). It grants security.insecure to builds that ask
# for it and takes docker.io's images from hack/bases.sh where those were made.
# start prints its address, for BUILDKIT_HOST, and leaves a running one as it is;
# address prints it, and fails if none runs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

action=${1:-start}
dir=${2:-$cache/buildkitd}
address=unix://$dir/bk.sock

# running NAME: its process is alive and still what it was started as.
running() {
	local pid
	pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
	[ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$dir/$1")" ]
}

# launch NAME COMMAND...: in the background, output to NAME.log; locks stay here.
launch() {
	local name=$1 program=$2
	shift
	ln -sfn "$program" "$dir/$name"
	setsid "$@" >"$dir/$name.log" 2>&1 8>&- 9>&- </dev/null &
	echo $! >"$dir/$name.pid"
}

# await SECONDS NAME COMMAND...: until COMMAND is true.
await() {
	local deadline=$((SECONDS + $1)) name=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		# A process that ended has no program any more.
		if [ "$SECONDS" -ge "$deadline" ] || ! readlink "/proc/$(cat "$dir/$name.pid")/exe" >/dev/null; then
			tail -n 20 "$dir/$name.log" >&2
			stop
			die "$name did not come up; its log is $dir/$name.log"
		fi
		sleep 0.1
	done
}

start() {
	[ "$(id -u)" = 0 ] || die "the daemon needs root"
	lock buildkitd
	rm -f "$cache/buildkitd.automatic" # from now on it stays until stop
	if running buildkitd && running mirror; then
		echo "$address"
		return
	fi
	stop
	mkdir -p "$dir"
	"$repo/hack/tools.sh" buildkitd buildctl runc >/dev/null
	export PATH=$tools:$PATH # where buildkitd looks for runc
	go build -C "$repo" -buildvcs=false -o "$dir/mirror-bin" ./hack/mirror/serve
	rm -f "$dir/mirror.address"
	launch mirror "$dir/mirror-bin" "$dir/mirror.address" "$cache/bases/current"
	await 10 mirror test -s "$dir/mirror.address"
	cat >"$dir/buildkitd.toml" <<-TOML
		[registry."docker.io"]
		  mirrors = ["$(cat "$dir/mirror.address")"]
		[registry."$(cat "$dir/mirror.address")"]
		  http = true
	TOML
	launch buildkitd "$(readlink -f "$tools/buildkitd")" --config "$dir/buildkitd.toml" \
		--root "$dir/root" --addr "$address" \
		--containerd-worker=false \
		--allow-insecure-entitlement security.insecure
	await 60 buildkitd "$tools/buildctl" --addr "$address" debug workers
	echo "$address"
}

stop() {
	local name pid
	for name in buildkitd mirror; do
		if running "$name"; then
			pid=$(cat "$dir/$name.pid")
			kill "$pid"
			timeout 30 tail --pid="$pid" -f /dev/null || die "$name (process $pid) does not end"
		fi
		rm -f "$dir/$name.pid"
	done
}

case $action in
start) start ;;
stop) stop ;;
address) running buildkitd && echo "$address" ;;
*) die "unknown action $action: start, stop or address" ;;
esac
