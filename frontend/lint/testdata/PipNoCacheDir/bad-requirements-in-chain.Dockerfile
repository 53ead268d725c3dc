FROM python:3.13
WORKDIR /app
RUN set -x \
 && pip install --user \
    -r requirements.txt
# want: 4
