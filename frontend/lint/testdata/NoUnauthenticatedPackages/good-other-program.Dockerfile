FROM debian:12
RUN make --force-yes && echo --allow-untrusted && foo --nogpgcheck
