FROM debian:12.9
RUN true
Copy a /
# want: 3
