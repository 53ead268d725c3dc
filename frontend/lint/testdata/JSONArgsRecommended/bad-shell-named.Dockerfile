FROM debian:12.9
cmd /bin/sh -c "server | logger"
# want: 2
