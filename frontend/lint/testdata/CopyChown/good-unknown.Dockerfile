FROM debian:12.9
COPY . /srv
RUN cd /x && chown -R 1:1 srv
RUN chown -R 1:1 "$DIR"
