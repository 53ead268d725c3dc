FROM node:22
ARG V
RUN npm install -g npm@$V $X && npm run install x
