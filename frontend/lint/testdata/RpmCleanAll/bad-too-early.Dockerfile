FROM fedora:41
RUN dnf clean all && \
    dnf -y upgrade
# want: 3
