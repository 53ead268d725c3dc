FROM python:3.13
RUN pip install git+https://github.com/acme/lib.git
RUN pip install git+ssh://git@github.com/acme/lib.git
# want: 2,3
