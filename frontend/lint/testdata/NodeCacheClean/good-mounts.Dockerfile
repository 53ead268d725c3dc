FROM node:22
RUN --mount=type=cache,target=/root/.npm npm ci
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn/v6 yarn install
RUN --mount=type=tmpfs,target=/root/.cache yarn install
