FROM python:3.13
RUN --mount=type=cache,target=/var/cache/apt pip install x
# want: 2
