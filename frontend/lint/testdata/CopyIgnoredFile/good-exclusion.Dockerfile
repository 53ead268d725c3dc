FROM scratch
COPY src/main.go /app/
