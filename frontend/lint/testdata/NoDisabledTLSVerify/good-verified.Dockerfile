FROM debian:12
ENV PYTHONHTTPSVERIFY=1 NODE_TLS_REJECT_UNAUTHORIZED=1 NPM_CONFIG_STRICT_SSL=true GIT_SSL_NO_VERIFY= PIP_TRUSTED_HOST=
RUN curl -fsSLo k https://example.com && wget -q https://example.com && pip install x
RUN npm config set strict-ssl true && git config --global http.sslVerify true
