FROM debian:12
RUN make \
 # sudo make
 && true # sudo make
