FROM debian:12.9
CMD ["/app"]
# want: 2
