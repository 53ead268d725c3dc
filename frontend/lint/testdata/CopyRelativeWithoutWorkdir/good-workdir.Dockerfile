FROM debian:12.9 AS base
WORKDIR ${HOME}/x
FROM base
COPY run.sh start.sh
