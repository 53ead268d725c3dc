FROM ubuntu:24.04
SHELL ["pwsh", "-Command"]
RUN Upgrade-Everything
