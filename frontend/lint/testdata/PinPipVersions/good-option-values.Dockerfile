FROM python:3.13
RUN pip install --trusted-host x.example --target /x --prefix y flask==1.0
RUN pip install --index-url https://e.example/simple flask==1.0
