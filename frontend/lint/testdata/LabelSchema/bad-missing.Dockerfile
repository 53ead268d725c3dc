FROM debian:12.9 AS build
LABEL team=web
FROM debian:12.9
RUN true
# want: 3,3,3,3,3,3,3
