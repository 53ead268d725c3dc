FROM opensuse/leap:15.6
RUN zypper --root /x -n install b
# want: 2
