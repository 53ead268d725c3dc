#!/usr/bin/env bash
# usage: hack/lint.sh
#
# Checks the Go code (golangci-lint, also as arm64 sees it) and the scripts
# (shellcheck).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
usage "$@"

need_packages shellcheck
golangci=$("$repo/hack/tools.sh" golangci-lint)
cd "$repo"
say "shellcheck"
git ls-files '*.sh' .ci/run | xargs shellcheck
say "golangci-lint for amd64"
CGO_ENABLED=0 GOARCH=amd64 "$golangci" run ./...
say "go vet for arm64"
CGO_ENABLED=0 GOARCH=arm64 go vet ./...
