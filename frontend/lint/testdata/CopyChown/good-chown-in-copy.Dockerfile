FROM debian:12.9
COPY --chown=1:1 . /srv
RUN chown -R 1:1 /srv
