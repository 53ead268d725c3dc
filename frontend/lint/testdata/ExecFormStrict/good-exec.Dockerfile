FROM debian:12.9
SHELL ["/bin/bash", "-c"]
ENTRYPOINT ["entry"]
CMD ["server"]
HEALTHCHECK CMD ["/app/health"]
