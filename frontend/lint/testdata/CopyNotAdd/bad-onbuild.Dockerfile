FROM debian:12.9
ONBUILD ADD src/ /srv/
# want: 2
