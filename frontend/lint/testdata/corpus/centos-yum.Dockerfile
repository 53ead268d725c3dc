FROM centos:7
RUN yum -y update && yum install -y epel-release && yum install -y httpd php \
 && yum clean all && rm -rf /var/cache/yum
COPY site.conf /etc/httpd/conf.d/
COPY html/ /var/www/html/
EXPOSE 80
CMD ["/usr/sbin/httpd", "-D", "FOREGROUND"]
