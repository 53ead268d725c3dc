FROM node:22.1-slim
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
