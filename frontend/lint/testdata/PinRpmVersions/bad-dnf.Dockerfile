FROM fedora:41
RUN dnf install -y tomcat && dnf clean all
# want: 2
