FROM fedora:41
RUN dnf install -y --setopt=install_weak_deps=False httpd
RUN dnf --setopt install_weak_deps=0 install -y httpd
RUN microdnf install -y --nodocs --setopt=install_weak_deps=0 httpd
