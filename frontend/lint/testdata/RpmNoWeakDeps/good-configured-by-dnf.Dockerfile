FROM fedora:41
RUN dnf config-manager --save --setopt=install_weak_deps=False && dnf install -y httpd
