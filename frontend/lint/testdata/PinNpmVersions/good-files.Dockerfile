FROM node:22
RUN npm install && npm ci && npm install --production
RUN npm install ./package.tgz /x ../y https://example.com/x.tgz folder.tar.gz
