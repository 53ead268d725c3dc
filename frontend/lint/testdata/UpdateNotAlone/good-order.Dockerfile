FROM debian:12
RUN install_all() { apt-get install -y "$@"; } && apt-get update && install_all curl
RUN for p in a b; do apt-get install -y $p || apt-get update; done
RUN pacman -Sy --noconfirm curl && pacman -Syu --noconfirm
