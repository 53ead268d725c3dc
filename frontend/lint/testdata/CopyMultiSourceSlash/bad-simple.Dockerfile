FROM debian:12.9
COPY package.json yarn.lock /my_app
# want: 2
