FROM debian:12.9
ENTRYPOINT ["a"]
RUN true
ENTRYPOINT ["b"]
# want: 2
