FROM fedora:41
RUN dnf module install -y nodejs:20/common && dnf module enable -y nodejs
