#!/usr/bin/env bash
# usage: hack/lint.sh
#
# Checks the scripts (shellcheck) and the Go code (golangci-lint, and what runs in
# containers also as arm64 sees it).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

need_packages shellcheck
golangci=$("$repo/hack/tools.sh" golangci-lint)
cd "$repo"
say "shellcheck"
find .ci examples hack \( -name '*.sh' -o -path .ci/run \) -exec shellcheck {} +
say "golangci-lint for amd64"
CGO_ENABLED=0 GOARCH=amd64 "$golangci" run ./...
say "go vet for arm64, where system calls are"
CGO_ENABLED=0 GOARCH=arm64 go vet ./sensor/... ./cmd/slimfile-sensor ./cmd/slimfile-pack
