FROM python:3.13-alpine3.20
CMD ["python3"]
# want: 1
