FROM debian:12.9
ADD rootfs.tar.gz /
COPY https /
ADD $UNKNOWN /
