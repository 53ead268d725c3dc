FROM node:22.1-slim
COPY . /srv
RUN chown -R node:node /srv
# want: 3
