FROM opensuse/leap:15.6
RUN zypper install httpd=2.4.24 && zypper clean
RUN zypper in httpd
RUN zypper remove httpd
RUN zypper source-install httpd
RUN zypper patch
# want: 2,3,4,5,6
