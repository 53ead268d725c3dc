FROM debian:12
RUN curl x && curl y
