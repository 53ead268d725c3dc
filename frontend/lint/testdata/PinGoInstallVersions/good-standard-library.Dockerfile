FROM golang:1.24
RUN go install cmd/vet && go install && go build example.com/x
