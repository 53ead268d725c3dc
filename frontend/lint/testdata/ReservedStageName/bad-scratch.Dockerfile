FROM debian:12.9 AS scratch
FROM debian:12.9
# want: 1
