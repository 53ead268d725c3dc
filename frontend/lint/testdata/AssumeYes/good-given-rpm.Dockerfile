FROM fedora:41
RUN yum install -y httpd && dnf -y install httpd && microdnf install -y httpd && dnf --assumeyes update
RUN dnf --setopt=assumeyes=True install httpd
