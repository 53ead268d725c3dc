FROM opensuse/leap:15.6
RUN zypper dup
RUN zypper --non-interactive dist-upgrade
# want: 2,3
