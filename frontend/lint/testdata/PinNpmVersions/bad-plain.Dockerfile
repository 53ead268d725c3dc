FROM node:22
RUN npm install express
# want: 2
