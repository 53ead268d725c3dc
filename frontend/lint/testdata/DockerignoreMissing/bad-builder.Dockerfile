FROM golang:1.23 AS build
ADD ./ /src
FROM scratch
COPY --from=build /a /a
# want: 2
