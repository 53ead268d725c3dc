FROM fedora:41
RUN dnf module install -y nodejs && dnf module install -y nodejs:20
# want: 2
