FROM debian:12.9
copy --from=busybox:1.37 \
  /bin/a \
  a
# want: 4
