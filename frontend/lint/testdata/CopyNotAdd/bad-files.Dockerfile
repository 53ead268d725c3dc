FROM debian:12.9
ADD file /usr/src/app/
ADD . /srv
add --chown=1:1 a.conf b.conf /etc/
# want: 2,3,4
