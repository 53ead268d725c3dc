FROM python:3.13
# want: 1
