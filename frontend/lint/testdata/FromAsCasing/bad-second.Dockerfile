FROM debian:12.9 AS a
FROM debian:12.9 as b
# want: 2
