FROM debian:12.9
COPY <<A <<B /etc/app
a
A
b
B
# want: 2
