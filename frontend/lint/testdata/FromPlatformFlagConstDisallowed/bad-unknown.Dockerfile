FROM --platform=x86 debian:12 AS build
FROM --platform=$BUILDPLATFORM debian:12
# want: 1
