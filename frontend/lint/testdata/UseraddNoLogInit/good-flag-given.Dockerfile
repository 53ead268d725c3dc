FROM debian:12
RUN useradd -l -u 123456 luser
RUN useradd --no-log-init -u 123456 luser
RUN useradd -rl -u 123456 luser
