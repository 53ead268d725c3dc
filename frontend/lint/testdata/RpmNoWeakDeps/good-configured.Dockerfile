FROM fedora:41
RUN echo install_weak_deps=False >> /etc/dnf/dnf.conf
RUN dnf install -y httpd
