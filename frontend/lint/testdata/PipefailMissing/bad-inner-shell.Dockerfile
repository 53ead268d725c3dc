FROM debian:12
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN bash -c 'curl x | sh'
# want: 3
