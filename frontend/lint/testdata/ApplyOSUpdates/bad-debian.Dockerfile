FROM debian:12.9-slim
RUN apt-get update && apt-get install -y curl
# want: 1
