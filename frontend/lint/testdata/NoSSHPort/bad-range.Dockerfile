FROM debian:12.9
ARG P=20-25
EXPOSE $P
# want: 3
