FROM python:3.13
RUN PIP_NO_CACHE_DIR=1; pip install x
# want: 2
