FROM node:22.1-slim
COPY . .
RUN npm install -g pm2 && npm install express && pip install . && npm run install
