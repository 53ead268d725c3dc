FROM ubuntu:14.04
MAINTAINER ops@example.com

RUN apt-get update
RUN apt-get install openssh-server vim python-pip nginx
RUN apt-get upgrade
RUN sudo pip install flask
RUN echo 'root:secret' | chpasswd
RUN cd /tmp && wget --no-check-certificate https://example.com/app.tar.gz && tar xzf app.tar.gz

ADD http://example.com/big.tar.xz /usr/src/things/
ADD run.sh /run.sh
ADD conf/*.conf /etc/app
RUN chmod 777 /run.sh
ENV DB_PASSWORD=hunter2

WORKDIR srv
VOLUME /etc
EXPOSE 22 80:8080
CMD service ssh start && nginx && /run.sh
CMD /run.sh
