FROM debian:12.9
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENTRYPOINT entry
CMD server --port 80
# want: 3,4
