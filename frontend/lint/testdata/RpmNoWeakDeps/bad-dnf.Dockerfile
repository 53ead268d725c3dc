FROM fedora:41
RUN dnf install -y httpd && dnf clean all
# want: 2
