FROM python:3.13
RUN pip install x && rm -rf ~/.cache/pip
RUN pip install x && pip cache purge
