FROM debian:12
RUN echo x | curl -d@- y | tee /x
# want: 2
