FROM debian:12
RUN set -o pipefail && wget -O - https://some.site | wc -l > /number
RUN ["/bin/bash", "-c", "set -euo pipefail; a | b"]
RUN bash -o pipefail -c 'a | b'
