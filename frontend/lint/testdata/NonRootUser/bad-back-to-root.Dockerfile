FROM debian:12.9-slim
RUN useradd app
USER app
RUN id
USER root
CMD ["/app"]
# want: 5
