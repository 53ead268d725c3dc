FROM debian:12
RUN sudo ln -snf bash "/usr/bin/sh"
# want: 2
