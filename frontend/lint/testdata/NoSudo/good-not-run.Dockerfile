FROM debian:12
RUN apt-get install -y sudo && command -v sudo
RUN echo "use sudo" > /etc/motd && chmod 440 /etc/sudoers.d/x
