FROM python:3.13 AS a
ENV PIP_NO_CACHE_DIR=1
FROM python:3.13
RUN pip install x
# want: 4
