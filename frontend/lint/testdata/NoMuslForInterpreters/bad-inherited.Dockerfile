FROM --platform=linux/arm64 node:22.1-alpine AS base
RUN true
FROM base
CMD ["node"]
# want: 1
