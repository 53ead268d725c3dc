FROM node:22
RUN NODE_TLS_REJECT_UNAUTHORIZED=0 npm ci
RUN export GIT_SSL_NO_VERIFY=1 && git clone https://x.example/y
RUN env PYTHONHTTPSVERIFY=0 python x.py
# want: 2,3,4
