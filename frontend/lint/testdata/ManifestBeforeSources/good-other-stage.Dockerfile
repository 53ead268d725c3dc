FROM debian:12.9 AS src
COPY . .
FROM node:22.1-slim
COPY --from=src . .
RUN npm ci
