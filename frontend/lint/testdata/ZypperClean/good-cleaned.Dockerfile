FROM opensuse/leap:15.6
RUN zypper install -y httpd && zypper clean
RUN zypper -n in httpd && zypper cc -a
RUN zypper -n in httpd && rm -rf /var/cache/zypp/*
