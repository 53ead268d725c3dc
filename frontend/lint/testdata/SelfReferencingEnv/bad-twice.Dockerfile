FROM debian:12.9
ENV PATH=/a:$PATH PATH=/b:$PATH
# want: 2
