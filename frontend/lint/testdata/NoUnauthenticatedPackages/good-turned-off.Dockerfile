FROM debian:12
RUN apt-get install -y -o APT::Get::AllowUnauthenticated=false x && apt-get install -y --allow-downgrades x
