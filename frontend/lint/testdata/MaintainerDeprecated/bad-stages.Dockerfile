FROM debian:12.9 AS a
MAINTAINER a
FROM debian:12.9
MAINTAINER b
# want: 2,4
