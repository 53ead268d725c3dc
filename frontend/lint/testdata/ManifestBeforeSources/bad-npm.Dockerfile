FROM node:22.1-slim
WORKDIR /srv
COPY . .
RUN npm ci && npm run build
# want: 4
