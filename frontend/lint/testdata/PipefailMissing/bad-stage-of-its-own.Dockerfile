FROM debian:12 AS a
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
FROM debian:12
RUN cat x | sort
# want: 4
