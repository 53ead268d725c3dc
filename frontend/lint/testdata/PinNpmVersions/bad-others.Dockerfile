FROM node:22
RUN yarn global add serve
RUN pnpm add -g typescript
# want: 2,3
