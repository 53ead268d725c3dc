FROM debian:12
RUN echo x | sudo tee /etc/x
RUN ["sudo", "make"]
# want: 2,3
