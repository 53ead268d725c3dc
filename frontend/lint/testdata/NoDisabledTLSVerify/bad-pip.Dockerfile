FROM python:3.13
RUN pip install --trusted-host pypi.org x
RUN pip3 config set global.trusted-host pypi.org
RUN python -m pip install --trusted-host=pypi.org x
# want: 2,3,4
