FROM python:3.13
RUN pip config set global.no-cache-dir true
RUN pip install x
