FROM debian:12
RUN useradd --uid=1000500000 --create-home app
# want: 2
