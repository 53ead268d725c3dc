FROM python:3.13
RUN python3 -m pip install --upgrade pip && python -m pip --quiet install x
# want: 2,2
