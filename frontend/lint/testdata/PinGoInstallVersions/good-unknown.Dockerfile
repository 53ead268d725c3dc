FROM golang:1.24
ARG V
RUN go install example.com/pkg@$V
