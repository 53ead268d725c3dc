FROM debian:12
ARG UID
RUN useradd -u $UID luser && adduser -u 123456 luser
