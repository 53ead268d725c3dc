FROM debian:12.9
VOLUME ["/var/lib/app", \
  "/proc"]
VOLUME ["/"]
# want: 3,4
