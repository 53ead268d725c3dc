FROM node:22.12-bookworm-slim AS base
ENV PNPM_HOME="/pnpm"
ENV PATH="$PNPM_HOME:$PATH"
RUN corepack enable

FROM base AS pruner
WORKDIR /repo
COPY . .
RUN pnpm dlx turbo@2.3.3 prune api web --docker

FROM base AS installer
WORKDIR /repo
COPY --from=pruner /repo/out/json/ ./
RUN --mount=type=cache,id=pnpm,target=/pnpm/store pnpm install --frozen-lockfile
COPY --from=pruner /repo/out/full/ ./
RUN pnpm turbo run build --filter=api --filter=web

FROM base AS api
WORKDIR /srv
COPY --from=installer --chown=node:node /repo/apps/api/dist ./
USER node
EXPOSE 4000
CMD ["node", "main.js"]

FROM nginxinc/nginx-unprivileged:1.27-alpine AS web
COPY apps/web/nginx.conf /etc/nginx/conf.d/default.conf
COPY --from=installer /repo/apps/web/dist /usr/share/nginx/html
