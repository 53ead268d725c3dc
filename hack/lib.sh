# Common to the scripts in hack/: messages, the cache folder, Debian packages.
# Sourced by them, never run.
# shellcheck shell=bash disable=SC2034  # variables are for the sourcing script

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/slimfile
tools=$cache/tools

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
	say "error: $*"
	exit 1
}

# usage prints the script's leading comment block and exits when the first
# argument asks for it.
usage() {
	case ${1:-} in
	-h | --help) ;;
	*) return 0 ;;
	esac
	sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"
	exit 0
}

# need_packages installs the Debian packages that are missing. Without root or
# apt-get it names them and gives up.
need_packages() {
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		die "missing packages (Debian names): $missing; install them, or run this as root on Debian"
	fi
	say "installing $missing"
	local log
	log=$(mktemp)
	# shellcheck disable=SC2086  # a list of words
	if ! { apt_get update && apt_get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "apt-get could not install: $missing"
	fi
	rm -f "$log"
}

missing_packages() {
	if ! command -v dpkg-query >/dev/null; then
		echo "$*"
		return
	fi
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
	done
}

apt_get() { DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -o DPkg::Lock::Timeout=300 "$@"; }

# lock NAME makes a second run of the same work wait for the first one, until the
# script and what it left in the background have ended.
lock() {
	[ "${locked:-}" != "$1" ] || return 0
	mkdir -p "$cache"
	exec 9>"$cache/$1.lock"
	if ! flock --nonblock 9; then
		say "waiting for another run that holds $cache/$1.lock"
		flock --timeout 3600 9 || die "gave up waiting for $cache/$1.lock"
	fi
	locked=$1
}

# at_exit COMMAND: run it, too, when the script ends; the last one first.
at_exit() {
	exit_commands=$1${exit_commands:+; $exit_commands}
	# shellcheck disable=SC2064  # it is to be expanded now
	trap "$exit_commands" EXIT
}

# use_daemon sets address to the development daemon's. One that a script had to
# start ends with the last script that uses it: each holds a shared lock.
use_daemon() {
	[ -z "${address:-}" ] || return 0
	mkdir -p "$cache"
	exec 8>>"$cache/buildkitd.users"
	flock --shared 8
	if ! address=$("$repo/hack/buildkitd.sh" address); then
		address=$("$repo/hack/buildkitd.sh" start)
		touch "$cache/buildkitd.automatic"
	fi
	at_exit leave_daemon
}

leave_daemon() {
	if [ -e "$cache/buildkitd.automatic" ] && flock --exclusive --nonblock 8; then
		"$repo/hack/buildkitd.sh" stop
		rm -f "$cache/buildkitd.automatic"
	fi
}

# registry_answers tells whether docker.io can be reached from here.
registry_answers() {
	need_packages curl ca-certificates
	local status
	status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 https://registry-1.docker.io/v2/) || return 1
	[ "$status" = 200 ] || [ "$status" = 401 ]
}

# layout_ref FOLDER: the OCI layout's image by its digest, all its tags name one.
layout_ref() { echo "oci-layout://$1@$(grep -o 'sha256:[0-9a-f]*' "$1/index.json" | head -n 1)"; }
