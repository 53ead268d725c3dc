FROM debian:12 AS build
RUN apt-get update && apt-get upgrade -y
FROM registry.access.redhat.com/ubi9/ubi-minimal:9.5
COPY --from=build /x /x
# want: 3
