FROM debian:12.9
WORKDIR $DIR/proc
WORKDIR C:\app
