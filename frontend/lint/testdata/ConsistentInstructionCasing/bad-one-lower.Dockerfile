FROM debian:12.9
RUN true
run true
# want: 3
