FROM rockylinux/rockylinux:9
RUN microdnf -y install httpd
# want: 2
