FROM node:22
RUN yarn install && yarn add x@1.0.0 && pnpm install --frozen-lockfile && pnpm add -g pnpm@9.0.0
