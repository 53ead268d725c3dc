FROM debian:12.9
ENV PATH=/opt/bin:${PATH} OTHER=1
ENV PATH=/usr/games:$PATH
