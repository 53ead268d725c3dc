FROM opensuse/leap:15.6
RUN zypper -n patch
RUN zypper clean
# want: 2
