FROM debian:12.9
ADD ["a file.txt", "/srv/"]
# want: 2
