FROM debian:12
RUN yes | apt-get install python
RUN echo y | apt-get install python
