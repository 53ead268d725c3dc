FROM registry.access.redhat.com/ubi9/ubi-minimal:9.5
RUN microdnf install -y httpd
