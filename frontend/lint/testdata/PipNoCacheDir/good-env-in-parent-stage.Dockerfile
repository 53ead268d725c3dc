FROM python:3.13 AS base
ENV A=1 PIP_NO_CACHE_DIR=off
FROM base
RUN pip install x
