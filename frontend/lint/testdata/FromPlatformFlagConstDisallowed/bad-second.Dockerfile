FROM debian:12.9 AS a
FROM --platform=linux/arm64 debian:12.9
# want: 2
