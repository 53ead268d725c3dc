FROM debian:12.9 AS a
FROM debian:12.9 AS context
# want: 2
