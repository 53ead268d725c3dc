FROM debian:12
RUN apt-get update && apt-get install -y python
RUN rm -rf /var/lib/apt/lists/*
# want: 2
