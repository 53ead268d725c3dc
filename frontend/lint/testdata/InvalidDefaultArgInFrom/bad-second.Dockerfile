ARG V
FROM debian:12.9 AS a
FROM debian:$V
# want: 3
