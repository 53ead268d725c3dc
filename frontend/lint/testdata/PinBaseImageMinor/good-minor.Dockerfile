FROM python:3.13-slim
FROM ubuntu:24.04
FROM nginx:1.27.3-alpine
FROM eclipse-temurin:8u432-b06-jre
FROM registry:2.8
FROM golang:1.23rc1
