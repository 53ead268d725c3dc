FROM python:3.13
RUN pip install flask==1.2.2
RUN pip install 'requests[security]==2.32.0' "flask>=2" alabaster~=0.7 x!=1
RUN pip install git+https://github.com/acme/lib.git@0a1b2c3
RUN pip install "x @ https://example.com/x.zip" https://example.com/y.tar.gz
