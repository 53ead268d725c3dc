FROM opensuse/leap:15.6
RUN zypper --non-interactive install httpd
# want: 2
