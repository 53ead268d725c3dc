FROM node:22.1-slim
COPY . /srv
RUN <<EOF
cd /srv
pnpm install --frozen-lockfile
EOF
# want: 5
