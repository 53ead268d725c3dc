FROM scratch AS build
COPY app /app
FROM scratch
COPY --from=build /app /app
ADD https://example.com/app /tmp/app
COPY <<app /etc/app
x
app
