FROM golang:1.24
RUN go install -ldflags "-s -w" example.com/x/cmd@v1.0.0 example.com/y@master
# want: 2
