FROM node:22.1-slim
COPY src src
COPY package.json .
RUN npm install
