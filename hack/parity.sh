#!/usr/bin/env bash
# usage: hack/parity.sh
#
# Runs the integration tests that BuildKit publishes for its own Dockerfile
# frontend against docker/dockerfile of the pinned BuildKit and against this
# checkout's frontend image with SLIM=off, and prints the tests that only stock
# passes; there are to be none. Needs no registry: tests that want one fail with
# both. The result of stock is kept per BuildKit version. Takes a quarter of an
# hour on two cores, the first time half an hour.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

module=github.com/moby/buildkit
package=$module/frontend/dockerfile
version=$(awk -v m=$module '$1 == m { print $2; exit }' "$repo/hack/tools/buildkit/go.mod")
recipe=$(cat "$repo/hack/parity.sh" "$repo"/hack/parity/*/* | sha256sum)
dir=$cache/parity/$version-${recipe:0:12}
# What the suite pulls: without one of them it does not run to its end. For the
# last two, tests that look into them fail with every frontend.
images=(library/busybox:latest library/busybox:stable-musl library/alpine:latest
	tonistiigi/hellofs:latest amd64/debian:bullseye-20230109-slim)

# compile builds the test suite and the stock frontend. The suite's own
# requirements are BuildKit's: they are resolved in a copy of the tool's module.
compile() {
	[ ! -x "$dir/suite.test" ] || return 0
	say "compiling BuildKit's test suite $version (minutes, once)"
	local copy
	copy=$(mktemp -d)
	cp "$repo"/hack/tools/buildkit/go.* "$copy/"
	(
		cd "$copy"
		export GOFLAGS='' GOWORK=off
		go get -t "$package@$version"
		CGO_ENABLED=0 nice go build -p 2 -trimpath -ldflags '-s -w' -o "$dir/stock/dockerfile-frontend" "$package/cmd/dockerfile-frontend"
		nice go test -c -p 2 -o "$dir/suite.part" "$package"
		go list -f '{{.Dir}}' "$package" >"$dir/sources"
	) >"$dir/compile.log" 2>&1 || {
		tail -n 20 "$dir/compile.log" >&2
		die "the suite does not compile"
	}
	rm -rf "$copy"
	mv "$dir/suite.part" "$dir/suite.test"
}

# build NAME OUTPUT [BUILDCTL-OPTION...]: an image from hack/parity/NAME.
build() {
	local name=$1 output=$2
	shift 2
	"$tools/buildctl" --addr "$address" build --progress plain --frontend dockerfile.v0 \
		--local dockerfile="$repo/hack/parity/$name" --output "$output" "$@" >"$dir/$name.build.log" 2>&1 ||
		die "image $name failed; its log is $dir/$name.build.log"
}

# seed makes a registry's storage with the images that the suite pulls.
seed() {
	[ ! -e "$dir/mirror" ] || return 0
	say "making stand-ins for ${images[*]}"
	local registry pid host image
	mkdir -p "$dir/base" "$dir/mirror.part"
	cp /bin/busybox "$repo/hack/parity/base/adduser" "$dir/base/"
	registry=$dir/mirror.part/config.yaml
	printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0"}\n' "$dir/mirror.part/data" >"$registry"
	docker-registry serve "$registry" >"$dir/registry.log" 2>&1 &
	pid=$!
	at_exit "kill $pid 2>/dev/null || true"
	local deadline=$((SECONDS + 20))
	until host=$(grep -o 'listening on 127.0.0.1:[0-9]*' "$dir/registry.log"); do
		if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$pid"; then
			die "the registry does not start; its log is $dir/registry.log"
		fi
		sleep 0.1
	done
	for image in "${images[@]}"; do
		build base "type=image,name=${host##* }/$image,push=true,registry.insecure=true" --local context="$dir/base"
	done
	kill "$pid"
	rm "$registry"
	mv "$dir/mirror.part" "$dir/mirror"
}

# run NAME: the suite against NAME.tar; results to NAME.txt. Its daemons end with
# it, also when a test brings it down: it has a process namespace of its own.
run() {
	local name=$1 mirror
	say "running the suite against $name (log: $dir/$name.log)"
	mirror=$(mktemp -d)
	cp -r "$dir/mirror/data" "$mirror/"
	(
		cd "$(cat "$dir/sources")"
		export PATH=$dir/bin:$tools:$PATH FRONTEND_GATEWAY_ONLY=local:$dir/$name.tar BUILDKIT_REGISTRY_MIRROR_DIR=$mirror
		timeout 3600 unshare --pid --fork --kill-child --mount-proc \
			"$dir/suite.test" -test.v -test.timeout 55m -test.run 'TestIntegration/./^worker=oci$'
	) >"$dir/$name.log" 2>&1 9>&- || true # some fail with stock too
	rm -rf "$mirror"
	sed -n 's/^ *--- \(PASS\|FAIL\|SKIP\): \(TestIntegration[^ ]*\) .*/\1 \2/p' "$dir/$name.log" | sort -u >"$dir/$name.part"
	if ! grep -q '^PASS' "$dir/$name.part" || grep -q '^panic: ' "$dir/$name.log"; then
		die "the suite did not run to its end against $name; its log is $dir/$name.log"
	fi
	mv "$dir/$name.part" "$dir/$name.txt"
}

# count RESULT NAME: tests with their matrix, without their own subtests.
count() { grep -cE "^$1 TestIntegration/[^/]+(/[^/=]+=[^/=]+)+$" "$dir/$2.txt" || true; }

need_packages docker-registry busybox-static
"$repo/hack/tools.sh" buildkitd buildctl runc >/dev/null
mkdir -p "$dir/stock" "$dir/bin"
ln -sfn /usr/bin/docker-registry "$dir/bin/registry" # the suite's name for it
lock parity
compile
use_daemon
seed
if [ ! -e "$dir/stock.txt" ]; then
	build stock "type=oci,dest=$dir/stock.tar" --local context="$dir/stock"
	run stock
fi
rm -rf "$dir/image"
IMAGE=org/slimfile OUTPUT=type=oci,tar=false,dest=$dir/image "$repo/hack/image.sh"
digest=$(grep -o 'sha256:[0-9a-f]*' "$dir/image/index.json" | head -n 1)
build off "type=oci,dest=$dir/slimfile.tar" --oci-layout slimfile="$dir/image" --opt "context:slimfile=oci-layout://slimfile@$digest"
run slimfile

printf '%-9s %6s %6s %6s\n' '' passed failed skipped
for name in stock slimfile; do
	printf '%-9s %6d %6d %6d\n' $name "$(count PASS $name)" "$(count FAIL $name)" "$(count SKIP $name)"
done
lost=$(comm -23 <(grep ^PASS "$dir/stock.txt") <(grep ^PASS "$dir/slimfile.txt"))
if [ -n "$lost" ]; then
	printf '\npassed by stock alone:\n%s\n' "$lost"
	exit 1
fi
say "slimfile passes what stock passes"
