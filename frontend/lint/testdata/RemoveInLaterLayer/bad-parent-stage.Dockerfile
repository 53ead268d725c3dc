FROM debian:12 AS base
COPY a b /opt/x/
FROM base
RUN rm -rf /opt/x/a
# want: 4
