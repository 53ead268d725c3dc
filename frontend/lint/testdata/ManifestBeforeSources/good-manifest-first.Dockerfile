FROM node:22.1-slim
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm ci --omit=dev
