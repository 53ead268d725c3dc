FROM debian:12.9
FROM debian:12.9
