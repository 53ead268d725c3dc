FROM scratch
COPY app.env /app.env
