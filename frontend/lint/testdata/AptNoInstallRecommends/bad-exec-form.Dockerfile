FROM ubuntu:24.04
RUN ["apt-get", "install", "-y", "python"]
# want: 2
