FROM debian:12
RUN echo chpasswd && apt-get install -y passwd
