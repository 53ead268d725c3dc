FROM debian:12.9
CMD ["a"]
CMD ["b"]
# want: 2
