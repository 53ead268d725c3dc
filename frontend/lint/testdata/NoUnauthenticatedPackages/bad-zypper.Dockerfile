FROM opensuse/leap:15.6
RUN zypper --no-gpg-checks --non-interactive install x
# want: 2
