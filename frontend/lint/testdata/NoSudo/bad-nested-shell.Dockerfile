FROM debian:12
RUN bash -c "cd /x && sudo make"
# want: 2
