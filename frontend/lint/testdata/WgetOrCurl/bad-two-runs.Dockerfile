FROM debian:12
RUN wget my.xyz
RUN curl localhost
# want: 3
