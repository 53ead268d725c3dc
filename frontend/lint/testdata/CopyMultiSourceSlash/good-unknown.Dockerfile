FROM debian:12.9
COPY a b $DIR
COPY a b /srv/${DIR}
