ARG REGISTRY=registry.example.com/base
FROM ${REGISTRY}/debian:12.9
