FROM debian:12
RUN echo "$KEY" | docker login --password-stdin -u a example.com
RUN ["gh", "auth", "login"]
ONBUILD RUN sh -c 'podman login example.com'
# want: 2,3,4
