FROM debian:12
RUN apt-get install -y --allow-unauthenticated x
RUN apt-get --force-yes install x
RUN apt-get install -y -o APT::Get::AllowUnauthenticated=true x
RUN apt-get update --allow-insecure-repositories
# want: 2,3,4,5
