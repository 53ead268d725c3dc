FROM golang:1.23 AS build
COPY --from=build /a /b
# want: 2
