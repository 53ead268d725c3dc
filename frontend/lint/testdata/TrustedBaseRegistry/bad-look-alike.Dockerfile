FROM docker.io.example.org/library/debian:12.9
FROM example.com/base/go:1.23
# want: 1,2
