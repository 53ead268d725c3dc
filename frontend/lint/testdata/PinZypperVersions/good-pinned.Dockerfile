FROM opensuse/leap:15.6
RUN zypper install -y tomcat=9.0.39 && zypper clean
RUN zypper install -y "tomcat>=9.0.39" "x<2"
