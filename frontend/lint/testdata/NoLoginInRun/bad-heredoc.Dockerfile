FROM debian:12 AS build
RUN <<SH
  aws configure set aws_access_key_id AKIA0000
SH
FROM scratch
# want: 3
