#!/bin/sh
# With WORKERS=auto, one worker for each processor.
set -eu
[ "${WORKERS:-}" = auto ] || exit 0
sed -i -e "s/^worker_processes .*/worker_processes $(nproc);/" /etc/nginx/nginx.conf
echo "workers: $(nproc)"
