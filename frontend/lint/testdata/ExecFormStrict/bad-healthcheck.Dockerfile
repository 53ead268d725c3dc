FROM debian:12.9
HEALTHCHECK --interval=5s --timeout=3s CMD curl -fsS http://localhost:8080/health || exit 1
CMD ["x"]
# want: 2
