FROM nginx:1.27
FROM ubuntu:24.04
