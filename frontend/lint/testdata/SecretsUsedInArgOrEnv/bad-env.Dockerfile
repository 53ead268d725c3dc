FROM debian:12.9
ENV API_TOKEN=abc DB_PASSWORD=x
# want: 2,2
