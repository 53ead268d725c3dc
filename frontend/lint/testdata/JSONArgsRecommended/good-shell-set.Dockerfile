FROM debian:12.9
SHELL ["/bin/bash", "-c"]
CMD server
