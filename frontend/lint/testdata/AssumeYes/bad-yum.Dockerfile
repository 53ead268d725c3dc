FROM centos:7
RUN yum install httpd-2.4.24 && yum clean all
RUN yum groupinstall "Development Tools"
# want: 2,3
