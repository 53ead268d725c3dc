FROM debian:12
RUN apt-get update && cat p | xargs apt-get install -y
