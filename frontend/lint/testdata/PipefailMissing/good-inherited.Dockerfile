FROM debian:12 AS a
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
FROM a
RUN a | b
