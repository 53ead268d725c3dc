FROM golang:1.24
RUN CGO_ENABLED=0 go run -tags x example.com/pkg@latest -flag example.org/y
# want: 2
