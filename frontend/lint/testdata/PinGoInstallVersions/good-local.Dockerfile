FROM golang:1.24
WORKDIR /src
COPY . .
RUN go install ./... && go run . && go install example.com/own/cmd
