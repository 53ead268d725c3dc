FROM debian:12.9 AS build
FROM scratch
COPY --from=build . /
