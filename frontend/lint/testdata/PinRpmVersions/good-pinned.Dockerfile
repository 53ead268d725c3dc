FROM fedora:41
RUN yum install -y tomcat-9.2 && dnf install -y tomcat-9.0.1 java-17-openjdk-17.0.1
