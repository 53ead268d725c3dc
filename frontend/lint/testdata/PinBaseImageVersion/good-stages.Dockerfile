FROM golang:1.23.4 AS Build
FROM build AS test
FROM test
FROM scratch
