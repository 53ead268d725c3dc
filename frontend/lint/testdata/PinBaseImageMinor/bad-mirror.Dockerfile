ARG REGISTRY=registry.example.com/hub
FROM ${REGISTRY}/library/redis:7
FROM public.ecr.aws/docker/library/golang:1-bookworm
# want: 2,3
