FROM debian:12
RUN apt-get update && apt-get install -y gnupg && apt-get update
RUN apt-get update && apk add curl
RUN pacman -Sy && pacman -Scc --noconfirm
# want: 2,3,4
