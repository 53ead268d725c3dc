FROM debian:${VERSIN}12.9
# want: 1
