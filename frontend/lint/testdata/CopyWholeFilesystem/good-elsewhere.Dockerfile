FROM golang:1.23 AS build
FROM debian:12.9
COPY --from=build / /sysroot/
