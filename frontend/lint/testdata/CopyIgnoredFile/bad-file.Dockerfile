FROM scratch
COPY app.env /app.env
CMD ["/app"]
# want: 2
