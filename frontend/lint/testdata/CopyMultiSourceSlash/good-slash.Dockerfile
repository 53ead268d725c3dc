FROM debian:12.9
COPY package.json yarn.lock /my_app/
COPY ["a", "b", "/srv/app/"]
COPY a b "/srv/app/"
