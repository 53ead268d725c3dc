FROM fedora:41
RUN --mount=type=cache,target=/var/cache/libdnf5 dnf install -y httpd
RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked dnf install -y httpd
RUN --mount=type=tmpfs,target=/var/cache/yum yum install -y httpd
