FROM python:3.13
RUN pip install flask --no-cache-dir
RUN pip --no-cache-dir install x
RUN python3 -m pip install --no-cache-dir x
