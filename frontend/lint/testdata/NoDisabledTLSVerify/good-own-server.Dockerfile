FROM debian:12
RUN server & curl -k https://localhost:8443/health
