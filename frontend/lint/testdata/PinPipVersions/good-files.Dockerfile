FROM python:3.13
RUN pip install -r requirements.txt
RUN pip install --requirement=requirements.txt --no-cache-dir
RUN pip install -c constraints.txt flask
RUN pip install . && pip install -e . && pip install ./lib /wheels/*.whl x.whl .[dev]
