FROM python:3.13
RUN pip install git+https://github.com/rtfd/r2.git
RUN pip install git+ssh://git@github.com/rtfd/r2.git
# want: 2,3
