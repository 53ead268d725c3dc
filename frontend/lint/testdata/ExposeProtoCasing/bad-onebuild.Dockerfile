FROM debian:12.9 AS a
EXPOSE 80/tcp
FROM a
EXPOSE 1/UDP
# want: 4
