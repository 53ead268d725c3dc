FROM python:3.13
RUN <<EOF
pip install --no-cache-dir 'uvicorn[standard]'
EOF
# want: 3
