FROM fedora:41
RUN dnf -y --setopt=install_weak_deps=True install httpd
# want: 2
