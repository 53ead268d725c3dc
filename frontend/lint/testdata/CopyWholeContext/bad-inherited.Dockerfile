FROM debian:12.9 AS base
COPY . /src
FROM base
# want: 2
