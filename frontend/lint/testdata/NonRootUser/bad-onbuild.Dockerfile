FROM debian:12.9-slim
ONBUILD USER app
# want: 1
