FROM node:22
RUN npm install git+https://isaacs@github.com/npm/npm.git
# want: 2
