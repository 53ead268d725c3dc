#!/usr/bin/env bash
# usage: IMAGE=REF[,REF] [BUILDER=NAME] [PUSH=1 | OUTPUT=type=…] hack/image.sh
#
# Builds the frontend image with buildx. PUSH=1 pushes it for every platform;
# OUTPUT is buildx's --output; by default it goes to the local Docker, or where
# there is none to out/image.tar. BUILDER is one of `buildx ls`; default: Docker's
# or the development daemon. Where docker.io does not answer, the toolchain and
# the modules are taken from this machine, so that the builder needs no network.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

[ -n "${IMAGE:-}" ] || die "IMAGE is not set: IMAGE=registry.example/slimfile:1 (see --help)"
buildx=$("$repo/hack/tools.sh" buildx)

args=()
target=image
if [ -n "${PUSH:-}" ]; then
	target=image-all
	args+=(--push)
elif [ -n "${OUTPUT:-}" ]; then
	args+=(--set "*.output=$OUTPUT")
elif docker version >/dev/null 2>&1; then
	args+=(--load)
else
	mkdir -p "$repo/out"
	args+=(--set "*.output=type=oci,dest=$repo/out/image.tar")
	say "no Docker to load it into: writing out/image.tar"
fi

if [ -n "${BUILDER:-}" ]; then
	args+=(--builder "$BUILDER")
elif ! docker version >/dev/null 2>&1; then
	use_daemon
	export BUILDX_CONFIG=$cache/buildx
	"$buildx" inspect slimfile >/dev/null 2>&1 || "$buildx" create --name slimfile --driver remote "$address" >/dev/null
	args+=(--builder slimfile)
fi

if ! registry_answers; then
	say "docker.io does not answer: building with the local Go toolchain and modules"
	"$repo/hack/bases.sh"
	vendor=$(mktemp -d)
	# shellcheck disable=SC2016  # expanded at the exit
	at_exit 'rm -rf "$vendor"'
	(cd "$repo" && GOFLAGS='' go mod vendor -o "$vendor")
	args+=(
		--set "*.contexts.golang=$(layout_ref "$(readlink -f "$cache/bases/current/golang")")"
		--set "*.contexts.vendor=$vendor"
	)
fi

cd "$repo"
# The paths outside of the checkout are those named above.
export BUILDX_BAKE_ENTITLEMENTS_FS=0
IMAGE=$IMAGE "$buildx" bake --file docker-bake.hcl "${args[@]}" "$target"
