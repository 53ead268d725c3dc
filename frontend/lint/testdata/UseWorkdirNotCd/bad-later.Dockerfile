FROM debian:12
RUN git clone https://x.example/y && cd y && make
RUN (cd /x && make)
RUN ["sh", "-c", "cd /x"]
# want: 2,3,4
