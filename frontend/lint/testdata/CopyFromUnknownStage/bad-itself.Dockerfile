FROM golang:1.23 AS build
COPY --chown=1:1 \
  --from=build /a /b
# want: 3
