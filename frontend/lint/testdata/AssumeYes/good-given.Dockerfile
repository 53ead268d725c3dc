FROM debian:12
RUN apt-get -y install python
RUN apt-get install --yes python
RUN apt-get install --assume-yes python
RUN apt-get install -qq python
RUN apt-get install -q -q python
RUN apt-get install -q=2 python
RUN apt-get install -qqy python
RUN apt-get install --quiet --quiet python
RUN apt-get -o APT::Get::Assume-Yes=true install python
