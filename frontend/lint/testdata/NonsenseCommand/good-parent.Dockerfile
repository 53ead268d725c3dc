FROM debian:12
RUN cat /service && ls /top
