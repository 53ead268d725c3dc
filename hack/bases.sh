#!/usr/bin/env bash
# usage: hack/bases.sh
#
# Makes what a machine without a registry needs to build the examples: stand-ins
# for base images of docker.io, out of Debian's packages and the local Go
# toolchain. Each is an OCI layout, made once per recipe; links to the current
# ones are kept in ~/.cache/slimfile/bases/current, from where daemons get them
# under their real names (hack/mirror). Where docker.io answers there are none:
# the real images are used.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

recipes=$repo/hack/bases
bases=$cache/bases
suite=bookworm
# dpkg's settings in the real image: no documentation but licences and no
# translations, which is what "slim" means, and no syncing of each file.
dpkg=(
	force-unsafe-io
	'path-exclude=/usr/share/doc/*' 'path-include=/usr/share/doc/*/copyright'
	'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/info/*'
	'path-exclude=/usr/share/groff/*' 'path-exclude=/usr/share/lintian/*'
	'path-exclude=/usr/share/locale/*'
)
# Equal packages give equal bytes on one day, and "created" stays meaningful.
SOURCE_DATE_EPOCH=$(date -u -d 00:00 +%s)
export SOURCE_DATE_EPOCH

# key NAME [MORE...]: a hash of NAME's recipe and what it is made from.
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

# build NAME KEY REFS [BUILDCTL-OPTION...]: an OCI layout from NAME's recipe.
build() {
	local name=$1 layout=$bases/store/$1-$2 refs=$3
	shift 3
	say "building $name: $refs"
	rm -rf "$layout.part"
	if ! "$tools/buildctl" --addr "$address" build --progress plain --frontend dockerfile.v0 \
		--local dockerfile="$recipes/$name" --opt build-arg:SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@" \
		--output "type=oci,tar=false,dest=$layout.part,compression-level=1,rewrite-timestamp=true,\"name=$refs\"" >"$layout.log" 2>&1; then
		tail -n 40 "$layout.log" >&2
		die "$name failed; its log is $layout.log"
	fi
	mv "$layout.part" "$layout"
}

# debootstrap ARCH TAR; mmdebstrap's own sources have updates and security.
debootstrap() {
	# shellcheck disable=SC2016  # mmdebstrap sets $1, the new root
	nice mmdebstrap --variant=minbase --mode=root --arch="$1" --format=tar --skip=output/dev \
		--include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
		"${dpkg[@]/#/--dpkgopt=}" --aptopt='Acquire::Languages "none"' \
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

# debian KEY: for each of arches.
debian() {
	local arch context platforms
	context=$(mktemp -d)
	for arch in "${arches[@]}"; do
		say "bootstrapping Debian $suite for $arch"
		debootstrap "$arch" "$context/rootfs-$arch.tar" >"$bases/store/debian-$arch.log" 2>&1 &
	done
	for arch in "${arches[@]}"; do
		wait -n || { tail -n 20 "$bases/store"/debian-*.log >&2; die "mmdebstrap failed"; }
	done
	platforms=$(printf ',linux/%s' "${arches[@]}")
	build debian "$1" docker.io/library/debian:$suite-slim --local context="$context" --opt platform="${platforms:1}"
	rm -rf "$context"
}

# derive NAME REFS [BUILDCTL-OPTION...]: in the background, on debian's layout.
derive() {
	local name=$1 refs=$2 key
	key=$(key "$name" "$debian_key" "$refs")
	shift 2
	made "$name" "$key" || lock bases
	if ! made "$name" "$key"; then
		use_daemon
		{ build "$name" "$key" "$refs" --local context="$recipes/$name" "$@" && made "$name" "$key"; } &
		jobs+=($!)
	fi
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

debian_key=$(key debian "$suite" "${dpkg[@]}" "${arches[@]}")
if ! made debian "$debian_key"; then
	say "docker.io does not answer: making stand-ins for its images (minutes, once)"
	need_packages mmdebstrap
	lock bases
fi
if ! made debian "$debian_key"; then
	use_daemon
	debian "$debian_key"
	made debian "$debian_key"
fi

library=docker.io/library
go_version=$(go env -C "$repo" GOVERSION)
go_version=${go_version#go}
jobs=()
derive python "$library/python:3.11-slim-bookworm"
derive node "$library/node:18-bookworm-slim"
derive nginx "$library/nginx:1.22"
derive redis "$library/redis:7.0-bookworm"
derive golang "$library/golang:${go_version%.*}-bookworm,$library/golang:$go_version-bookworm" --local goroot="$(go env -C "$repo" GOROOT)" --opt context:goroot=local:goroot
for job in "${jobs[@]}"; do
	wait "$job"
done
say "base images: $(ls -m "$bases/current")"
