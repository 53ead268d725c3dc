FROM --platform=$TARGETPLATFORM debian:12.9
# want: 1
