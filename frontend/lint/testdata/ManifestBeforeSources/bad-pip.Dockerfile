FROM python:3.13-slim
COPY requirements.txt /srv/
ADD ./ /srv/
RUN set -e; \
  cd /srv; \
  pip install -r requirements.txt
# want: 6
