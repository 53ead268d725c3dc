FROM debian:12.9 AS Build
# want: 1
