from --platform=linux/amd64 debian:12.9 as build
# want: 1
