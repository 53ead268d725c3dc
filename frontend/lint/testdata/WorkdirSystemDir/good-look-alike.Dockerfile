FROM debian:12.9
WORKDIR /process
WORKDIR /devel/app
WORKDIR proc
