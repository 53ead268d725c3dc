FROM debian:12.9
RUN true && \

  true
# want: 4
