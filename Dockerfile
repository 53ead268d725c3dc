# The frontend image: what "# syntax=org/slimfile" runs. "make image" builds it.
#
# Programs are cross-compiled on the builder's own platform. Named contexts
# replace parts of the build, none is needed where registries answer:
#   golang    another toolchain image than golang:1.26-bookworm
#   vendor    the modules' sources, as "go mod vendor" writes them
#   programs  the compiled programs
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS golang

FROM scratch AS vendor

FROM golang AS compile
WORKDIR /src
COPY . .
ENV CGO_ENABLED=0 GOOS=linux GOFLAGS=-buildvcs=false
RUN --mount=type=bind,from=vendor,target=/src/vendor \
    --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=cache,target=/go/pkg/mod <<EOT
set -e
# An empty folder vendor means: get the modules from the proxy.
mod=readonly
[ ! -e vendor/modules.txt ] || mod=vendor
for arch in amd64 arm64; do
    build() { GOARCH=$arch go build -mod=$mod -trimpath -ldflags '-s -w' -o "/out/$1/" "./cmd/$2"; }
    build linux-$arch slimfile-frontend
    build libexec/linux-$arch slimfile-sensor
    build libexec/linux-$arch slimfile-pack
done
EOT

FROM scratch AS programs
COPY --from=compile /out /

FROM scratch
ARG TARGETARCH
LABEL org.opencontainers.image.title="slimfile" \
      org.opencontainers.image.description="BuildKit frontend that ships only what the image needs to run" \
      org.opencontainers.image.source="https://github.com/org/slimfile" \
      org.opencontainers.image.licenses="Apache-2.0" \
      moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
COPY --from=programs /linux-${TARGETARCH}/slimfile-frontend /bin/slimfile-frontend
COPY --from=programs /libexec /libexec
ENTRYPOINT ["/bin/slimfile-frontend"]
