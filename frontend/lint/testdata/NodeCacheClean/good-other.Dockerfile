FROM node:22
RUN npm run build && yarn build && npm test && yarn --version
