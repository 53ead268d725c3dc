FROM node:22
RUN npm config set strict-ssl false
RUN npm set strict-ssl=false
RUN yarn config set strict-ssl false && npm --strict-ssl=false ci
RUN git config --global http.sslVerify false
RUN git -c http.sslVerify=false clone https://x.example/y
RUN dnf --setopt=sslverify=0 install -y x
RUN yum-config-manager --save --setopt=base.sslverify=false
# want: 2,3,4,4,5,6,7,8
