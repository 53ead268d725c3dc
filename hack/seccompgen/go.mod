module github.com/org/slimfile/hack/seccompgen

go 1.26.8

require (
	github.com/moby/profiles/seccomp v0.2.3
	github.com/opencontainers/runtime-spec v1.2.1
)

require golang.org/x/sys v0.47.0 // indirect
