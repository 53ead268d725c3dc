FROM python:3.13
RUN /opt/venv/bin/pip3.13 install x
# want: 2
