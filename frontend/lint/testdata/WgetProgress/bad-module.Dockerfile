FROM debian:12
RUN sudo wget -c https://x.example/y
# want: 2
