FROM debian:12.9 AS a
WORKDIR /dev/shm
workdir "/sys/"
WORKDIR /boot
ONBUILD WORKDIR /proc
# want: 2,3,4,5
