FROM centos:7
RUN echo "sslverify=true" >> /etc/yum.conf && echo sslverify=false
RUN sed -i 's/sslverify=0/sslverify=1/' /etc/yum.conf
