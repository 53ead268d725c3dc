FROM centos:7
RUN yum install -y tomcat && yum clean all
# want: 2
