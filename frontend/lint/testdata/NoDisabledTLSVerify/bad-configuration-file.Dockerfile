FROM centos:7
RUN echo "sslverify=false" >> /etc/yum.conf && yum install -y x
RUN sed -i 's/sslverify=1/sslverify = 0/' /etc/yum.conf
RUN echo strict-ssl=false > ~/.npmrc
# want: 2,3,4
