FROM debian:12.9
LABEL maintainer="a@example.com"
