FROM debian:12
RUN apt-get update && ./install-deps.sh
RUN apt-get update && npx playwright install --with-deps
RUN apt-get update && $INSTALL curl
