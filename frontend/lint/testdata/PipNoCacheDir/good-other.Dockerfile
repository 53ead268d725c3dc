FROM python:3.13
RUN pipx install x && pipenv install x && pip list && uv pip install x
