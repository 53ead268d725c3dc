FROM python:3.13
RUN python3 -m pip install flask==3.0 \
  gunicorn
# want: 3
