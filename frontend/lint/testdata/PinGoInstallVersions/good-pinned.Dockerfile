FROM golang:1.24
RUN go install example.com/pkg@v1.2.3
RUN go run example.com/pkg@v1.2.3 && go install example.com/x@4ed5a1b
