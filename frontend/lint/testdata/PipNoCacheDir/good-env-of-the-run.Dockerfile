FROM python:3.13
RUN PIP_NO_CACHE_DIR=1 pip install x
RUN export PIP_NO_CACHE_DIR=1 && pip install x
RUN env PIP_NO_CACHE_DIR=1 pip install x
