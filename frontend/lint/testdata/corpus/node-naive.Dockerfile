FROM node:latest
MAINTAINER Jane Doe <jane@example.com>
ENV NPM_TOKEN 3f1c0b2a-7d4e-4c8b-9a55-5b1f1fd0a001
ADD . /app
WORKDIR /app
RUN npm install -g nodemon
RUN npm install
RUN chown -R node:node /app
EXPOSE 3000
CMD npm start
