FROM debian:12
COPY app.zip /tmp/
RUN unzip /tmp/app.zip -d /app && rm /tmp/app.zip
# want: 2
