FROM debian:12.9
ONBUILD RUN true
