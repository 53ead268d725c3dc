FROM debian:12.9
COPY $SOURCE /
# want: 2
