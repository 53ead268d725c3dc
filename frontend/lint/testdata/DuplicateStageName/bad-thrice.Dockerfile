FROM debian:12.9 AS a
FROM debian:12.9 AS a
FROM debian:12.9 AS a
# want: 2,3
