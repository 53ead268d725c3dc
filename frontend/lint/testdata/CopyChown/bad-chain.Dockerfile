FROM debian:12.9
WORKDIR /srv
COPY a b ./
RUN useradd app && \
  chown --recursive app . && \
  true
# want: 5
