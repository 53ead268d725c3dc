FROM opensuse/leap:15.6
RUN zypper -n in a=1 b
# want: 2
