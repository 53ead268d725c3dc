FROM debian:12
RUN wget https://x.example/y
# want: 2
