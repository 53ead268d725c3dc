FROM debian:12.9
WORKDIR /srv
COPY . .
# want: 3
