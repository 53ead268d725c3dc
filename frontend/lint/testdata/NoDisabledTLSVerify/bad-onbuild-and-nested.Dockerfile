FROM debian:12
ONBUILD RUN bash -c 'curl -sk https://example.com'
# want: 2
