FROM debian:12.9 AS base
FROM docker.io/library/python:3.13-slim
FROM index.docker.io/python:3.13-slim
