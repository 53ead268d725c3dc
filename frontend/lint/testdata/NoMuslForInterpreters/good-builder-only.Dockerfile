FROM node:22-alpine AS assets
RUN npm ci
FROM nginx:1.27-alpine
COPY --from=assets /dist /usr/share/nginx/html
