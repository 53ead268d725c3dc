FROM centos:7
RUN yum update -y
RUN dnf -y update
