FROM debian:12.9
ADD https://github.com/moby/buildkit.git#v0.10.1:docs /src
ADD https://github.com/moby/buildkit.git?tag=v0.10.1 /src
