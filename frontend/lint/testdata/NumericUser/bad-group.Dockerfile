FROM debian:12.9-slim
USER app:1000
# want: 2
