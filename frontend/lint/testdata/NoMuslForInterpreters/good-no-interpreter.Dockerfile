FROM redis:7.4-alpine
FROM golang:1.23-alpine
