FROM debian:12.9 AS a
FROM a AS b
FROM b
