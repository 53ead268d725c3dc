FROM alpine:3.21
SHELL ["/bin/ash", "-c"]
RUN wget -O - https://some.site | wc -l > /number
# want: 3
