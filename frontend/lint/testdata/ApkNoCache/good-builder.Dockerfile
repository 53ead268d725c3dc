FROM alpine:3.21 AS build
RUN apk add gcc
FROM scratch
COPY --from=build /x /x
