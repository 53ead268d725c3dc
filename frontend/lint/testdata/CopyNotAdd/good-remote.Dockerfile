FROM debian:12.9
ADD https://example.com/a.txt /
ADD HTTP://EXAMPLE.COM/b /
ADD git@github.com:moby/buildkit.git#v0.10 /src
ADD https://github.com/moby/buildkit.git#v0.10:docs /docs
