from debian:latest
from --platform=$BUILDPLATFORM docker.io/library/node:latest as build
# want: 1,2
