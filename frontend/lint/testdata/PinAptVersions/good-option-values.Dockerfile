FROM debian:12
RUN apt-get install -y -t stretch-backports nodejs=0.10
RUN apt-get install -y --option Acquire::Retries=3 nodejs=0.10
