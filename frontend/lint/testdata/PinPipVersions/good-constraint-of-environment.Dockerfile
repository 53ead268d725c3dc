FROM python:3.13
ENV PIP_CONSTRAINT=/c.txt
RUN pip install flask
