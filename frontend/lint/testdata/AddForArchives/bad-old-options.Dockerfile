FROM debian:12.9
ARG V=1
COPY --chown=1:1 \
  app-$V.tgz \
  /opt/app.tgz
RUN cd /opt && tar xzf app.tgz && rm app.tgz
# want: 4
