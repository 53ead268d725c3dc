FROM debian:12.9 AS a
FROM debian:12.9
COPY --from=a /app.tar.gz /tmp/
RUN tar -xzf /tmp/app.tar.gz
