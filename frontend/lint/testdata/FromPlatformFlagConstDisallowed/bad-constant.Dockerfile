FROM --platform=linux/amd64 debian:12.9
# want: 1
