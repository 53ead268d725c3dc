FROM python:3.13
RUN pip install MySQL_python
RUN pip3 install MySQL_python
RUN pip2 install MySQL_python
# want: 2,3,4
