FROM node:22.1-bookworm AS base
FROM base
# want: 1
