FROM debian:12.9
ENV A=b
LABEL a=b
ARG C
