FROM debian:12.9 AS a
FROM debian:12.9 AS runTime
# want: 2
