FROM debian:12.9
RUN server
HEALTHCHECK CMD server
