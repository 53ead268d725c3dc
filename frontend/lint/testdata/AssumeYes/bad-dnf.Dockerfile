FROM fedora:41
RUN dnf install httpd && dnf -y upgrade && microdnf install x
# want: 2,2
