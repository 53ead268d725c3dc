FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip pip install x
RUN --mount=type=cache,target=/home/app/.cache pip install x
