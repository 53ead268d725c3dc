FROM debian:12
RUN useradd -u 12345 luser
RUN useradd luser
