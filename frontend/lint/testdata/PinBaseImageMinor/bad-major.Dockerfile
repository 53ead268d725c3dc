FROM python:3
FROM python:3-slim
FROM node:22-bookworm-slim AS build
FROM postgres:17-alpine3.20
# want: 1,2,3,4
