FROM debian:12.9 as a
# want: 1
