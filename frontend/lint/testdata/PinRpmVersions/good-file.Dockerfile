FROM fedora:41
RUN dnf install -y https://example.com/x.rpm ./y.rpm
