FROM python:3.13
ARG FLASK_VERSION
RUN pip install flask==$FLASK_VERSION $OTHERS && pip uninstall x && pip list
