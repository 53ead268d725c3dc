FROM debian:12.9
CMD server \
  --port 80 && \
  true
# want: 2
