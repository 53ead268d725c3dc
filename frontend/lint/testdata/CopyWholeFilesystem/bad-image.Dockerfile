FROM scratch
COPY --link --from=busybox:1.37 /* /
# want: 2
