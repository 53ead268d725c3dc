FROM debian:12
RUN wget --progress=dot:giga x && wget -q x && wget --quiet x && wget -nv x && wget --no-verbose x
RUN wget -qO- x && wget -o log x && wget --output-file=log x && wget -a log x
