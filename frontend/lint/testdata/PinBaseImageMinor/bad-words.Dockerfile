FROM nginx:stable-alpine
FROM node:lts
FROM debian:bookworm-slim
FROM alpine:edge
FROM debian:stable
# want: 1,2,3,4,5
