FROM fedora:41
RUN --mount=type=cache,target=/var/lib/dnf dnf -y install httpd
# want: 2
