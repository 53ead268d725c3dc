FROM debian:12.9
# hadolint is run on this file; ignore=nothing
RUN true # hadolint
