FROM fedora:41
RUN dnf repolist && echo yum install && bash -c 'dnf -y install x; dnf clean all'
