FROM opensuse/leap:15.6
RUN zypper install -y httpd
RUN zypper --non-interactive install httpd
RUN zypper -n install httpd
RUN zypper install --no-confirm httpd
RUN zypper -q refresh && zypper clean
