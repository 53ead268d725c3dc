FROM debian:12 AS a
RUN wget my.xyz
FROM debian:12
RUN curl localhost
