FROM debian:12.9 AS build
FROM debian:12.9 AS x
FROM debian:12.9 AS BUILD
# want: 3
