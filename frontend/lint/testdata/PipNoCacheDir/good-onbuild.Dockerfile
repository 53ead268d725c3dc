FROM python:3.13
ONBUILD ENV PIP_NO_CACHE_DIR=1
ONBUILD RUN pip install -r requirements.txt
