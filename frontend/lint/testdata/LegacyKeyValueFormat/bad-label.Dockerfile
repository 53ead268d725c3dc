FROM debian:12.9
LABEL a b c
# want: 2
