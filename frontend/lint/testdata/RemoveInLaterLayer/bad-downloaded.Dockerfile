FROM debian:12
RUN curl -fsSLo /tmp/x.tgz https://example.com/x.tgz
RUN tar -xf /tmp/x.tgz && rm /tmp/x.tgz
# want: 3
