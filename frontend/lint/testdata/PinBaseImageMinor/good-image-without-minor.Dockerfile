FROM fedora:41
FROM amazonlinux:2023
FROM gcr.io/distroless/static-debian12:nonroot
FROM example/app:3
