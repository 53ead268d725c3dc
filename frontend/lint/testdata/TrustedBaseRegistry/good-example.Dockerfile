FROM registry.example.com/base/go/build:1.23 AS build
FROM build
COPY --from=build /a /a
COPY --from=0 /b /b
FROM scratch
