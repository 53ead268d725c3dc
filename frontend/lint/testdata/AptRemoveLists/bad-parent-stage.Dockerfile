FROM debian:12 AS base
RUN apt-get update && apt-get install -y python
FROM base
RUN true
# want: 2
