FROM debian:12 AS build
COPY x /tmp/x
RUN rm /tmp/x
FROM scratch
COPY --from=build /y /y
