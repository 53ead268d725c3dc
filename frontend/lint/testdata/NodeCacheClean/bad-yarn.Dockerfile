FROM node:22
RUN yarn install foo
RUN yarn
# want: 2,3
