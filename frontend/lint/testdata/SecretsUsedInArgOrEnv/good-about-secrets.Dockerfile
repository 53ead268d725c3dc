FROM debian:12.9
ENV POSTGRES_PASSWORD_FILE=/run/secrets/pg TOKEN_TTL=30 SSH_AUTH_SOCK=/run/ssh AUTH_URL=https://example.com
