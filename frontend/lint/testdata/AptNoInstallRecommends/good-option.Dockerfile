FROM ubuntu:24.04
RUN apt-get install -y --no-install-recommends python
RUN apt-get --no-install-recommends -y install python
RUN apt-get install -y -o APT::Install-Recommends=0 python
RUN apt-get install -y -o "APT::Install-Recommends=false" python
RUN apt-get install -y --install-recommends=no python
