FROM fedora:41
RUN yum install -y httpd && yum clean all
RUN yum -y install httpd && yum -y clean all
RUN dnf install -y httpd && dnf clean all
RUN microdnf install -y httpd && microdnf clean all
RUN yum install -y httpd && rm -rf /var/cache/yum/*
RUN dnf install -y httpd && rm -rf /var/cache/libdnf5
RUN dnf -y module install x:1 && dnf clean all
