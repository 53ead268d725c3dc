FROM debian:12.9
ONBUILD CMD python app.py
# want: 2
