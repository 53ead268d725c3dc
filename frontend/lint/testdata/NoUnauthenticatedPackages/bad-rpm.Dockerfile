FROM fedora:41
RUN dnf install -y --nogpgcheck x
RUN yum -y --nogpgcheck install x && tdnf --nogpgcheck install -y x
RUN rpm -i --nosignature x.rpm
RUN dnf --setopt=gpgcheck=0 install -y x
# want: 2,3,3,4,5
