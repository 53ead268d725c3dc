FROM ubuntu:24.04
RUN cat <<EOF > /etc/apt/apt.conf.d/x
APT::Install-Recommends "no";
EOF
RUN apt-get install -y python
