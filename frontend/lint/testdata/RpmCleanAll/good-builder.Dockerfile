FROM fedora:41 AS build
RUN dnf -y install gcc
FROM scratch
COPY --from=build /x /x
