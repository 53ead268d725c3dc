FROM node:22
RUN npm ci && npm cache clean --force
RUN yarn install foo && yarn cache clean
RUN pnpm install && pnpm store prune
RUN npm ci && rm -rf /root/.npm
