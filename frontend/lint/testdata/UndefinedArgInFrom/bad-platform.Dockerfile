FROM --platform=linux/amd64$VARIANT debian:12.9
# want: 1
