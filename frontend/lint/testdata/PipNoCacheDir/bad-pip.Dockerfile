FROM python:3.13
RUN pip install flask
RUN pip3 install flask
RUN pip2 install flask
# want: 2,3,4
