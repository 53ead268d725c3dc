FROM fedora:41
RUN <<EOF
dnf -y upgrade --refresh
dnf clean all
EOF
