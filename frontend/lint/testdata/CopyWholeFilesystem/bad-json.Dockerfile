FROM scratch
COPY --from=busybox:1.37 ["/.", "/"]
# want: 2
