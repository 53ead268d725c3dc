#!/usr/bin/env bash
# usage: hack/tools.sh [TOOL...]
#
# Builds development tools at the versions pinned in hack/tools/*/go.mod, each
# once per version, and prints the path of each. TOOL is one of buildkitd,
# buildctl, runc, buildx, crane, golangci-lint; default: buildkitd buildctl runc.
# Links to the current versions are kept in ~/.cache/slimfile/tools.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

# build TOOL FOLDER MODULE PACKAGE [BUILD-TAG]
build() {
	local tool=$1 folder=$repo/hack/tools/$2 module=$3 package=$4 tags=${5:-}
	local version
	version=$(awk -v m="$module" '$1 == m { print $2; exit }' "$folder/go.mod")
	[ -n "$version" ] || die "$folder/go.mod requires no $module"
	local key dir
	key=$({ cat "$folder/go.mod" "$folder/go.sum" && go version && echo "$tags"; } | sha256sum)
	dir=$tools/${tool}-$version-${key:0:12}
	[ -x "$dir/$tool" ] || lock tools
	if [ ! -x "$dir/$tool" ]; then
		say "building $tool $version (a few minutes, once)"
		GOFLAGS='' GOWORK=off nice go build -C "$folder" -p 2 -trimpath -tags "$tags" \
			-ldflags "-s -w -X $module/version.Version=$version" -o "$dir/$tool.part" "$package"
		mv "$dir/$tool.part" "$dir/$tool"
	fi
	ln -sfn "${dir##*/}/$tool" "$tools/$tool"
	echo "$dir/$tool"
}

tool() {
	case $1 in
	buildkitd | buildctl)
		need_packages gcc libc6-dev pkg-config libseccomp-dev
		build "$1" buildkit github.com/moby/buildkit "github.com/moby/buildkit/cmd/$1" seccomp
		;;
	runc)
		need_packages gcc libc6-dev pkg-config libseccomp-dev
		build runc runc github.com/opencontainers/runc github.com/opencontainers/runc seccomp
		;;
	buildx)
		build buildx buildx github.com/docker/buildx github.com/docker/buildx/cmd/buildx
		;;
	crane)
		build crane crane github.com/google/go-containerregistry github.com/google/go-containerregistry/cmd/crane
		;;
	golangci-lint)
		build golangci-lint golangci-lint github.com/golangci/golangci-lint/v2 github.com/golangci/golangci-lint/v2/cmd/golangci-lint
		;;
	*) die "unknown tool $1; there are buildkitd, buildctl, runc, buildx, crane, golangci-lint" ;;
	esac
}

[ $# -gt 0 ] || set -- buildkitd buildctl runc
for name in "$@"; do
	tool "$name"
done
