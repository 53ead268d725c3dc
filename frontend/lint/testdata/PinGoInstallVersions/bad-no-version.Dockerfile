FROM golang:1.24
RUN go install example.com/pkg
RUN go get github.com/x/y
# want: 2,3
