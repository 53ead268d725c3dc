FROM debian:12
ARG APP_UID=200000
RUN groupadd app && \
    useradd -m -u ${APP_UID} -g app app
# want: 4
