FROM debian:12.9
COPY ["a", "b", "/srv/app"]
ADD a.tar b.tar "/srv/app"
# want: 2,3
