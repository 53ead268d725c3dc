FROM debian:12.9
COPY . /srv
COPY . /again
# want: 2
