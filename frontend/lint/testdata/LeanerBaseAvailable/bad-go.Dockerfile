FROM golang:1.23-alpine
CMD ["go"]
# want: 1
