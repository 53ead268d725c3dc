FROM fedora:41
RUN dnf install -y httpd
RUN dnf clean all
# want: 2
