FROM debian:12
RUN curl localhost && wget my.xyz
# want: 2
