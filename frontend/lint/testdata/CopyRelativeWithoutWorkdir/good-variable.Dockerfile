FROM debian:12.9
COPY a ${DIR}/a
ENV ROOT=/srv
COPY a $ROOT/a
