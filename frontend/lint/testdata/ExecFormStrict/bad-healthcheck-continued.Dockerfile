FROM debian:12.9
healthcheck --interval=5s \
  cmd /app/health
# want: 2
