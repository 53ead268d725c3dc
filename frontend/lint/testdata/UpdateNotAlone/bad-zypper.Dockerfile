FROM opensuse/leap:15.6
RUN zypper refresh
# want: 2
