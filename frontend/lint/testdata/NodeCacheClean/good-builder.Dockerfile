FROM node:22 AS build
RUN npm ci
FROM nginx:1.27
COPY --from=build /x /x
