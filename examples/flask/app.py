"""A small web service: / answers in JSON, /hello greets."""

import signal
import sys

from flask import Flask, jsonify, request
from waitress import serve

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(service="hello", routes=["/", "/hello"])


@app.get("/hello")
def hello():
    return f"Hello, {request.args.get('name', 'world')}!\n", {"Content-Type": "text/plain"}


if __name__ == "__main__":
    # The first process of a container ignores a signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(app, host="0.0.0.0", port=8008)
