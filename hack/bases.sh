#!/usr/bin/env bash
# usage: hack/bases.sh [IMAGE...]
#
# Makes what a machine without a registry needs to build the examples: stand-ins
# for base images of docker.io, out of Debian's packages and the local Go
# toolchain; the large ones only when they are named, as in FROM. Each is an OCI
# layout, made once per recipe; links to the current ones are kept in
# ~/.cache/slimfile/bases/current, from where daemons get them under their real
# names (hack/mirror). Where docker.io answers there are none: the real images are
# used.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

recipes=$repo/hack/bases
bases=$cache/bases
suite=bookworm
# dpkg's settings in the real images: no syncing of each file and, which is what
# "slim" means, no documentation but licences and no translations.
dpkg=(force-unsafe-io)
dpkg_slim=(
	"${dpkg[@]}"
	'path-exclude=/usr/share/doc/*' 'path-include=/usr/share/doc/*/copyright'
	'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/info/*'
	'path-exclude=/usr/share/groff/*' 'path-exclude=/usr/share/lintian/*'
	'path-exclude=/usr/share/locale/*'
)
# Equal packages give equal bytes on one day, and "created" stays meaningful.
SOURCE_DATE_EPOCH=$(date -u -d 00:00 +%s)
export SOURCE_DATE_EPOCH

# key RECIPE [MORE...]: a hash of the recipe and what else an image is made from.
key() {
	local hash
	hash=$({ cd "$recipes/$1" && sha256sum ./*; printf '%s\n' "${@:2}"; } | sha256sum)
	echo "${hash:0:12}"
}

# made NAME KEY: the layout exists; it becomes the current one.
made() {
	[ -e "$bases/store/$1-$2/index.json" ] || return 1
	ln -sfn "../store/$1-$2" "$bases/current/$1"
}

# build NAME KEY RECIPE REFS [BUILDCTL-OPTION...]: an OCI layout.
build() {
	local name=$1 layout=$bases/store/$1-$2 recipe=$recipes/$3 refs=$4
	shift 4
	say "building $name: $refs"
	rm -rf "$layout.part"
	if ! "$tools/buildctl" --addr "$address" build --progress plain --frontend dockerfile.v0 \
		--local dockerfile="$recipe" --opt build-arg:SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@" \
		--output "type=oci,tar=false,dest=$layout.part,compression-level=1,rewrite-timestamp=true,\"name=$refs\"" >"$layout.log" 2>&1; then
		tail -n 40 "$layout.log" >&2
		die "$name failed; its log is $layout.log"
	fi
	share_layers "$layout.part"
	mv "$layout.part" "$layout"
}

# share_layers LAYOUT: what it has in common with others is on the disk once.
share_layers() {
	local blob other
	for blob in "$1"/blobs/sha256/*; do
		for other in "$bases/current"/*/blobs/sha256/"${blob##*/}"; do
			[ ! -e "$other" ] || [ "$other" -ef "$blob" ] || ln -f "$other" "$blob"
		done
	done
}

# debootstrap ARCH TAR [OPTION...]; mmdebstrap's own sources have updates and
# security.
debootstrap() {
	# shellcheck disable=SC2016  # mmdebstrap sets $1, the new root
	nice mmdebstrap --variant=minbase --mode=root --arch="$1" --format=tar --skip=output/dev \
		--include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		"${@:3}" --aptopt='Acquire::Languages "none"' \
		--customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
		"$suite" "$2"
}

# emulate_arm64 has the kernel run arm64 programs through qemu, where it can.
emulate_arm64() {
	local binfmt=/proc/sys/fs/binfmt_misc
	need_packages qemu-user-static arch-test
	[ "$(id -u)" = 0 ] || return 1
	[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt || return 1
	if [ ! -e $binfmt/qemu-aarch64 ]; then
		# Magic and mask are an ELF64 little-endian header for machine 183; F
		# opens the interpreter now, so that it works in every root.
		local header='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
		local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
		printf '%s' ":qemu-aarch64:M::$header:$mask:/usr/bin/qemu-aarch64-static:F" >$binfmt/register || return 1
	fi
	arch-test arm64 >/dev/null
}

# debian NAME IMAGE "ARCH..." DPKG-OPTION...: Debian alone, for each architecture.
debian() {
	local name=$1 image=$2 arches arch context
	local -A pids
	read -ra arches <<<"$3"
	shift 3
	keys[$image]=$(key debian "$suite" "$@" "${arches[@]}")
	! made "$name" "${keys[$image]}" || return 0
	say "docker.io does not answer: making a stand-in for its $image (minutes, once)"
	need_packages mmdebstrap
	lock bases
	! made "$name" "${keys[$image]}" || return 0
	use_daemon
	context=$(mktemp -d)
	for arch in "${arches[@]}"; do
		say "bootstrapping Debian $suite for $arch"
		debootstrap "$arch" "$context/rootfs-$arch.tar" "${@/#/--dpkgopt=}" >"$bases/store/$name-$arch.log" 2>&1 &
		pids[$arch]=$!
	done
	for arch in "${arches[@]}"; do
		wait "${pids[$arch]}" || { tail -n 20 "$bases/store/$name-$arch.log" >&2; die "mmdebstrap failed"; }
	done
	build "$name" "${keys[$image]}" debian "$library/$image" --local context="$context" \
		--opt platform="$(printf 'linux/%s\n' "${arches[@]}" | paste -sd ,)"
	rm -rf "$context"
	made "$name" "${keys[$image]}"
}

# derive NAME RECIPE BASE IMAGE,... [BUILDCTL-OPTION...]: an image on another one,
# which is provided first, in the background.
derive() {
	local name=$1 recipe=$2 base=$3 refs=$library/${4//,/,$library/} key
	provide "$base"
	key=$(key "$recipe" "${keys[$base]}" "$refs" "${@:5}")
	keys[${4%%,*}]=$key
	made "$name" "$key" || lock bases
	if ! made "$name" "$key"; then
		use_daemon
		[ -z "${jobs[$base]:-}" ] || wait "${jobs[$base]}"
		{
			build "$name" "$key" "$recipe" "$refs" --opt build-arg:BASE="$base" --local context="$recipes/$recipe" "${@:5}"
			made "$name" "$key"
		} &
		jobs[${4%%,*}]=$!
	fi
}

# provide IMAGE: make it, unless that is done or the image is none of these.
provide() {
	[ -z "${keys[$1]:-}" ] || return 0
	local slim=debian:$suite-slim full=buildpack-deps:$suite
	case $1 in
	"$slim") debian debian "$1" "${arches[*]}" "${dpkg_slim[@]}" ;;
	"debian:$suite") debian debian-full "$1" "${arches[0]}" "${dpkg[@]}" ;;
	"$full") derive buildpack-deps buildpack-deps "$full-scm" "$1" --opt target=full ;;
	"$full-curl") derive buildpack-deps-curl buildpack-deps "debian:$suite" "$1" --opt target=curl ;;
	"$full-scm") derive buildpack-deps-scm buildpack-deps "$full-curl" "$1" --opt target=scm ;;
	eclipse-temurin:17-jdk) derive eclipse-temurin eclipse-temurin "debian:$suite" "$1" ;;
	"golang:${go_version%.*}-$suite" | "golang:$go_version-$suite")
		derive golang golang "$slim" "golang:${go_version%.*}-$suite,golang:$go_version-$suite" \
			--local goroot="$(go env -C "$repo" GOROOT)" --opt context:goroot=local:goroot
		;;
	nginx:1.22) derive nginx nginx "$slim" "$1" ;;
	node:18-bookworm-slim) derive node node "$slim" "$1" ;;
	node:18-bookworm) derive node-full node "$full" "$1" ;;
	perl:5.36-bookworm) derive perl perl "$full" "$1" ;;
	php:8.2-apache-bookworm) derive php-apache php "$slim" "$1" --opt target=apache ;;
	php:8.2-cli-bookworm) derive php-cli php "$slim" "$1" --opt target=cli ;;
	python:3.11-slim-bookworm) derive python python "$slim" "$1" ;;
	python:3.11-bookworm) derive python-full python "$full" "$1" ;;
	redis:7.0-bookworm) derive redis redis "$slim" "$1" ;;
	ruby:3.1-bookworm) derive ruby ruby "$full" "$1" ;;
	esac
}

mkdir -p "$bases/store" "$bases/current"
arches=("$(go env -C "$repo" GOARCH)")
if [ "${arches[0]}" = amd64 ]; then
	if emulate_arm64; then
		arches+=(arm64)
	else
		say "no linux/arm64: this machine cannot run its programs (needs root and binfmt_misc)"
	fi
fi
if registry_answers; then
	say "docker.io answers: its images are used"
	rm -f "$bases/current"/*
	exit 0
fi

library=docker.io/library
go_version=$(go env -C "$repo" GOVERSION)
go_version=${go_version#go}
declare -A keys jobs # by image
for image in python:3.11-slim-bookworm node:18-bookworm-slim nginx:1.22 redis:7.0-bookworm golang:"$go_version-$suite" "$@"; do
	provide "$image"
done
for job in "${jobs[@]}"; do
	wait "$job"
done
say "base images: $(cd "$bases/current" && echo *)"
