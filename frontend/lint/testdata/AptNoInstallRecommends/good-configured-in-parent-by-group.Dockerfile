FROM ubuntu:24.04 AS base
RUN { echo 'APT::Install-Suggests "0";'; echo 'APT::Install-Recommends "0";'; } >> /etc/apt/apt.conf.d/x
FROM base
RUN apt-get install -y python
