FROM debian:12.9
COPY . /src
# want: 2
