FROM fedora:41
RUN dnf install -y httpd && dnf clean packages
RUN yum install -y httpd && yum clean metadata
# want: 2,3
