FROM ubuntu:24.04
RUN rm -rf /etc/apt /var/lib/apt && ls apt
