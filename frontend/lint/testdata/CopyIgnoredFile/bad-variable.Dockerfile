FROM scratch
ARG DIR=docs
ADD --chown=1:1 ["${DIR}/index.html", "/srv/"]
ONBUILD COPY ./docs/ /srv/
# want: 3,4
