FROM debian:12
RUN apt-get update && apt-get install -y python && rm -rf /var/lib/apt/lists/*
RUN apt-get update && apt-get install -y python; rm -rf /tmp/x /var/lib/apt/lists
RUN apt-get update && rm -r -f /var/lib/apt/lists/*
RUN apt-get update && rm -rf /var/lib/apt
RUN apt-get update && rm -rf /var/lib/{apt,dpkg,cache,log}/
RUN apt-get update && find /var/lib/apt/lists -type f -delete
RUN apt-get update && apt-get dist-clean
