FROM fedora:41
RUN dnf -y module enable perl:5.24 && dnf install -y @development
