FROM debian:12.9
COPY --chown=1:1 ./ /srv/
ADD / /srv
COPY ["*", "/srv/"]
# want: 2,3,4
