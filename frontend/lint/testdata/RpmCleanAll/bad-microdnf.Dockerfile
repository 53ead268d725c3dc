FROM rockylinux/rockylinux:9
RUN microdnf install -y httpd
# want: 2
