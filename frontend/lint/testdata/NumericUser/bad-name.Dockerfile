FROM debian:12.9-slim
USER nobody
# want: 2
