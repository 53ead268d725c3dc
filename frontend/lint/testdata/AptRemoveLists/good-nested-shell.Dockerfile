FROM debian:12
RUN sudo sh -c "apt-get update && apt-get install -y python && rm -rf /var/lib/apt/lists/*"
