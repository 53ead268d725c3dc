FROM debian:12.9
COPY ["a", "/srv/a"]
RUN ["chown", "-R", "1:1", "/srv"]
# want: 3
