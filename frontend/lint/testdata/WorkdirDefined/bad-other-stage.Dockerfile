FROM golang:1.23 AS build
WORKDIR /src
FROM debian:12.9
COPY --from=build /a /a
ENTRYPOINT ["/a"]
CMD ["-v"]
# want: 6
