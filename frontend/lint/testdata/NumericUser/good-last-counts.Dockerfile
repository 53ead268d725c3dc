FROM debian:12.9-slim
USER app
USER 1000
