FROM debian:12
CMD ["chpasswd"]
