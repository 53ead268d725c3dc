FROM debian:12.9
ENV DOCKER_HOST=unix:///var/run/docker.sock
COPY docker.socket.md /
