FROM debian:12
RUN git clone https://x.example/y && cd y && make
RUN (cd /x && make)
