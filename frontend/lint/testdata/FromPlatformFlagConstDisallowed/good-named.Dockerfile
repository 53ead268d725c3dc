FROM --platform=linux/amd64 debian:12.9 AS build-amd64
FROM build-amd64
