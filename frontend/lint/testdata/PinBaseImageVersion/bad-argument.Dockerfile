ARG VERSION=latest
ARG IMAGE=ubuntu
FROM node:${VERSION}
FROM $IMAGE
# want: 3,4
