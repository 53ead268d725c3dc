FROM golang:1.24
RUN go install example.com/pkg@latest
# want: 2
