FROM golang:1.23 AS build
COPY . .
FROM scratch
COPY --from=build . /
