FROM debian:12
RUN echo sudo make; pseudo x
COPY sudo /x
