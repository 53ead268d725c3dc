FROM python:3.13
RUN pip install --user --extra-index-url https://e.example/simple -i https://x.example flask
RUN pip install --upgrade pip
# want: 2,3
