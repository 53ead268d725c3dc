FROM fedora:41
RUN dnf install -y httpd-2.4.42 && rm -rf /tmp/x
# want: 2
