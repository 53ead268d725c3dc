FROM debian:12.9
COPY bla.sh /blubb.sh
COPY ["a", "/srv/"]
COPY "a" "/srv/"
