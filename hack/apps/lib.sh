# usage: bash lib.sh FOLDER/accept.sh
#
# What acceptance tests are written in: hack/apps/README.md describes it. The
# runner starts it in network, mount and process namespaces that end with it, and
# sets the environment:
#   ROOT, IMAGE      the unpacked image under test and its OCI configuration
#   FAT, FAT_IMAGE   those of the image before slimming
#   WORK             an empty folder
#   ID               what names of containers start with
#   RUNC, RUNNER     the container runtime, the runner
# Checks are reported as TAP, the Test Anything Protocol (version 12).
# shellcheck shell=bash disable=SC2153  # IMAGE and its like are the environment
set -uo pipefail
export LC_ALL=C # answers need not be text

ready_seconds=60
checks=0 failed=0
port='' server='' app=${1%/*}

# ok NAME, not_ok NAME EXPECTED GOT
ok() { echo "ok $((++checks)) - $1"; }
not_ok() {
	echo "not ok $((++checks)) - $1"
	echo "#   expected  $2"
	brief "$3" | sed '1s/^/#   got       /; 2,$s/^/#             /'
	failed=$((failed + 1))
}

# brief TEXT: its first and its last lines.
brief() {
	if [ "$(wc -l <<<"$1")" -le 10 ]; then
		echo "$1"
	else
		head -n 5 <<<"$1" && echo … && tail -n 5 <<<"$1"
	fi | cut -c 1-300
}

# new_container [-e K=V]... [-p PROGRAM] [--fat] [ARGUMENT...]: a bundle with a
# root of its own over the image, which nothing that happens in it changes. Its
# name is the new value of container.
new_container() {
	local lower=$ROOT image=$IMAGE options=()
	while [ $# -gt 0 ]; do
		case $1 in
		-e | -p | -u) options+=("$1" "$2") && shift 2 ;;
		--fat) lower=$FAT image=$FAT_IMAGE && shift ;;
		--) shift && break ;;
		*) break ;;
		esac
	done
	container=$ID-$RANDOM$RANDOM
	local bundle=$WORK/$container
	mkdir -p "$bundle"/{upper,work,rootfs}
	mount -t overlay overlay -o "lowerdir=$lower,upperdir=$bundle/upper,workdir=$bundle/work" "$bundle/rootfs"
	mkdir -p "$bundle/rootfs/etc" && echo '127.0.0.1 localhost app' >"$bundle/rootfs/etc/hosts" # the runtime's part
	"$RUNNER" spec "${options[@]}" "$container" "$bundle/rootfs" "$image" "$@" >"$bundle/config.json"
}

runc() { "$RUNC" --root "$WORK/runc" "$@"; }

# run [OPTION...] [ARGUMENT...]: like docker run --rm -i [-e K=V]... [-u USER]
# [--entrypoint PROGRAM: -p PROGRAM] IMAGE [ARGUMENT...]
run() {
	local container
	new_container "$@" && runc run --bundle "$WORK/$container" "$container"
}

# client PROGRAM [ARGUMENT...]: a program of the fat image, for talking to the
# server; what the slim image lacks does not matter to it.
client() { run --fat -p "$1" -- "${@:2}"; }

# serve [OPTION...] PORT [ARGUMENT...]: like docker run -d; waits for the port,
# which http uses from then on.
serve() {
	local options=() container
	while [[ $1 == -* ]]; do
		options+=("$1" "$2") && shift 2
	done
	port=$1
	shift
	new_container "${options[@]}" "$@"
	server=$container
	start_server
}

# restart: like docker restart; the container finds the files that it wrote.
restart() {
	runc delete --force "$server" 2>/dev/null
	start_server
}

start_server() {
	runc run --bundle "$WORK/$server" "$server" >>"$WORK/log" 2>&1 </dev/null &
	server_pid=$!
	local deadline=$((SECONDS + ready_seconds))
	until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 $server_pid 2>/dev/null; then
			not_ok "start" "port $port listens" "nothing on it after $((SECONDS - deadline + ready_seconds)) s"
			exit 1
		fi
		sleep 0.05
	done
	ok "start: port $port listens"
}

# inside [-e K=V]... PROGRAM [ARGUMENT...]: like docker exec in the server's
# container.
inside() {
	local options=()
	while [ "$1" = -e ]; do
		options+=(--env "$2") && shift 2
	done
	runc exec "${options[@]}" "$server" "$@"
}

# uid: the user that the server's first process runs as.
uid() { stat -c %u "/proc/$(runc state "$server" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')"; }

# signal SIGNAL: like docker kill --signal.
signal() { runc kill "$server" "$1"; }

# stop [SIGNAL [STATUS]]: check that the server ends by itself.
stop() {
	local signal=${1:-TERM} want=${2:-0} got=0
	runc kill "$server" "$signal"
	timeout "$ready_seconds" tail --pid="$server_pid" -f /dev/null || got=running
	[ "$got" = running ] || { wait "$server_pid"; got=$?; }
	if [ "$got" = "$want" ]; then
		ok "SIG$signal ends it with $want"
	else
		not_ok "SIG$signal" "exit status $want" "$got"
	fi
}

# is NAME REGEX COMMAND...: it exits 0 and its output matches.
is() { exits "$1" 0 "${@:2}"; }

# exits NAME STATUS REGEX COMMAND...: it exits so and its output matches.
exits() {
	local name=$1 want=$2 regex=$3 output status=0
	output=$("${@:4}" 2>&1 | tr -d '\0') || status=$?
	if [ "$status" = "$want" ] && [[ $output =~ $regex ]]; then
		ok "$name"
	else
		not_ok "$name" "exit status $want, /$regex/" "$status, $output"
	fi
}

# http STATUS REGEX [CURL-OPTION...] PATH-OR-URL: the answer has the status, and
# its header and body, as text, match.
http() {
	local want=$1 regex=$2 url=${*: -1} output status
	local options=("${@:3:$#-3}")
	[[ $url == *://* ]] || url=http://localhost:$port$url
	output=$(curl --silent --show-error --include --max-time 30 --path-as-is "${options[@]}" "$url" 2>&1 | tr -d '\0\r')
	# The last of several answers: 100 Continue and redirects come before it.
	status=$(grep -aE '^HTTP/[0-9.]+ [0-9]{3}' <<<"$output" | tail -n 1 | cut -d ' ' -f 2)
	if [ "$status" = "$want" ] && [[ $output =~ $regex ]]; then
		ok "${options[*]:+${options[*]} }$url"
	else
		not_ok "${options[*]:+${options[*]} }$url" "$want, /$regex/" "$output"
	fi
}

finish() {
	if [ "$failed" -gt 0 ] && [ -s "$WORK/log" ]; then
		echo "# the server's last lines:"
		tail -n 10 "$WORK/log" | cut -c 1-300 | sed 's/^/#   /'
	fi
	for bundle in "$WORK/$ID"-*; do
		runc delete --force "${bundle##*/}" 2>/dev/null
	done
}
trap finish EXIT

ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start # as Docker since 20.10
mount -t tmpfs tmpfs "$WORK"
cd "$app" || exit
# shellcheck source=/dev/null
. ./accept.sh
echo "1..$checks"
