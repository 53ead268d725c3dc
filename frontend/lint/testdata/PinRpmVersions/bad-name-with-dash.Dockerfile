FROM fedora:41
RUN microdnf -y install java-devel
# want: 2
