FROM scratch
copy \
  # the sources
  go.mod src/main.go \
  /app/
# want: 4
