FROM debian:12.9
ADD https://github.com/moby/buildkit.git /src
ADD git@github.com:moby/buildkit.git /src
# want: 2,3
