FROM debian:12
RUN apt-get -y --no-install-recommends install nodejs=0.10 python=1.2
RUN apt-get install -y nodejs/stable
RUN apt-get install -y ./wkhtmltox_0.12.5-1.bionic_amd64.deb
