FROM node:22
RUN npm install -g yo express@4.1.1
RUN npm i --global @angular/cli
# want: 2,3
