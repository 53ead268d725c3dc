FROM debian:12.9
COPY run.sh /start.sh
COPY ["a", "/srv/"]
COPY "a" "/srv/"
