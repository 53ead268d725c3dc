FROM scratch
ADD rootfs.tar.xz /
ADD alpine-minirootfs-3.20-x86_64.tar.gz a.tgz b.TAR /
ADD "quoted.tar.bz2" /x
ADD *.tar* /
