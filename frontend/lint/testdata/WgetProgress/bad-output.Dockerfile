FROM debian:12
RUN wget -O /y https://x.example/y && \
  true
# want: 2
