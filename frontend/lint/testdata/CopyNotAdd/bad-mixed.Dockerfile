FROM debian:12.9
ADD \
  # both
  rootfs.tar.xz \
  app.conf \
  /srv/
ADD app.zip /srv/
# want: 2,7
