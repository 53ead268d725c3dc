FROM debian:12.9 AS a
FROM --platform=$TARGETPLATFORM debian:12.9
# want: 2
